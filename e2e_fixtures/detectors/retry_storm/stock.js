// Asks the warehouse, and asks again when it fails.
const attempts = Number(new URLSearchParams(location.search).get("attempts"));
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

async function askWarehouse() {
  const response = await fetch("/api/stock/mug");
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

async function checkStock() {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      const { pieces } = await askWarehouse();
      document.querySelector("#note").textContent = `${pieces} pieces left`;
      return;
    } catch {
      await wait(120);
    }
  }
  document.querySelector("#note").innerHTML = "<em>Please ask us</em>";
}

document.querySelector("#check").addEventListener("click", checkStock);
