// Stock on the shelf: asks the warehouse (which hangs up), then lets a worker count a delivery.
const RETRIES = 5;
const RETRY_DELAY_MS = 150;

export async function checkStock() {
  for (let attempt = 0; attempt <= RETRIES; attempt += 1) {
    try {
      return showStock(await askWarehouse());
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
    }
  }
  console.error(`Stock unknown: warehouse did not answer after ${RETRIES} retries`);
  document.querySelector("#stock-note").textContent = "Ask us what is left.";
  countDelivery();
}

async function askWarehouse() {
  const response = await fetch("/api/stock");
  return response.json();
}

function showStock({ pieces }) {
  document.querySelector("#stock-note").textContent = `${pieces} pieces left.`;
}

function countDelivery() {
  const worker = new Worker("stock-worker.js", { name: "stock" });
  worker.onmessage = ({ data }) => showStock(data);
  worker.postMessage({ delivery: "mug;12\nbowl;8\nvase" });
}
