// Shows every customer, asked for one by one.
const many = Number(new URLSearchParams(location.search).get("customers"));

async function loadCustomer(id) {
  return (await fetch(`/api/customers/${id}`)).json();
}

async function showCustomers() {
  const ids = Array.from({ length: many }, (_, i) => 101 + i);
  const customers = await Promise.all(ids.map(loadCustomer));
  document.querySelector("#list").innerHTML = customers.map(({ name }) => `<li>${name}</li>`).join("");
  document.querySelector("#list").insertAdjacentHTML("afterend", '<p id="all">All are here</p>');
}

document.querySelector("#show").addEventListener("click", showCustomers);
