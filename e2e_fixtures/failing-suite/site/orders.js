// The list stays empty when the server fails, and nobody is told; the counter of visits fails for itself.
async function loadOrders() {
  const response = await fetch("/api/orders");
  if (!response.ok) throw new Error(`orders: HTTP ${response.status}`);
  for (const order of await response.json()) {
    const row = document.createElement("li");
    row.dataset.testid = "order-row";
    row.textContent = order.name;
    document.querySelector("#orders").append(row);
  }
}

loadOrders();
setTimeout(() => fetch("/api/visits"), 300);
