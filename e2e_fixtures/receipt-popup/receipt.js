// Fills the receipt in.
async function showSum() {
  const response = await fetch("/api/receipts/last");
  if (!response.ok) throw new Error("There is no receipt");
  document.querySelector("#sum").textContent = await response.text();
}

showSum();
