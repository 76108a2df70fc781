// Loads orders four at a time: the small ones first, then the large ones.
async function loadOrder(number) {
  const { total } = await (await fetch(`/api/orders/${number}`)).json();
  document.querySelector("#orders").insertAdjacentHTML("beforeend", `<li>${number}: ${total} €</li>`);
}

async function loadOrders() {
  for (const number of [1, 1, 1, 2, 2, 2]) {
    await Promise.all(Array.from({ length: 4 }, () => loadOrder(number)));
  }
  document.querySelector("#orders").insertAdjacentHTML("afterend", '<p id="all">These are all</p>');
}

document.querySelector("#load").addEventListener("click", loadOrders);
