// Waits for the bank, however long it takes.
async function pay() {
  const { number } = await (await fetch("/api/payments", { method: "POST" })).json();
  document.querySelector("#receipt").innerHTML = `<b>Receipt ${number}</b>`;
}

document.querySelector("#pay").addEventListener("click", pay);
