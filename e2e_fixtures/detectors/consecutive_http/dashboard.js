// Loads three parts that have nothing to do with each other, one after the other or together.
const parts = ["orders", "stock", "news"];

async function load(part) {
  return (await fetch(`/api/${part}`)).json();
}

async function loadInTurn() {
  for (const part of parts) await load(part);
}

document.querySelector("#load").addEventListener("click", async () => {
  await (location.search === "?together" ? Promise.all(parts.map(load)) : loadInTurn());
  document.body.insertAdjacentHTML("beforeend", '<p id="loaded">Loaded</p>');
});
