// Breaks on an answer that is an error.
async function showReceipt() {
  const receipt = await (await fetch("/api/receipt")).json();
  document.querySelector("main").textContent = `Total ${receipt.total.toFixed(2)}`;
}

showReceipt();
