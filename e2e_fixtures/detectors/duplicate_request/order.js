// Places an order, and shows how many there are now.
const handlers = Number(new URLSearchParams(location.search).get("handlers"));

async function showOrders() {
  const orders = await (await fetch("/api/orders")).json();
  document.querySelector("#count").textContent = `${orders.length} orders`;
}

async function placeOrder() {
  const answer = await fetch("/api/orders", { method: "POST", body: JSON.stringify({ item: "lamp", quantity: 1 }) });
  const { id } = await answer.json();
  await showOrders();
  document.body.insertAdjacentHTML("beforeend", `<p id="placed">Order ${id} is placed</p>`);
}

for (let i = 0; i < handlers; i++) document.querySelector("#order").addEventListener("click", () => placeOrder());
