// Loads orders four at a time: the small ones first, then the large ones.
async function loadOrder(number, part) {
  // Chrome asks for one address after the other's answer only: it may be cached by then.
  const { total } = await (await fetch(`/api/orders/${number}?part=${part}`)).json();
  document.querySelector("#orders").insertAdjacentHTML("beforeend", `<li>${number}: ${total} €</li>`);
}

async function loadOrders() {
  for (const number of [1, 1, 1, 2, 2, 2]) {
    await Promise.all([1, 2, 3, 4].map((part) => loadOrder(number, part)));
  }
  document.querySelector("#orders").insertAdjacentHTML("afterend", '<p id="all">These are all</p>');
}

document.querySelector("#load").addEventListener("click", loadOrders);
