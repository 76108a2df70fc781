// Three async functions deep, a body that comes in two pieces, and a pause before the failure shows.
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

async function askForReport() {
  const response = await fetch("/api/report");
  return response.json();
}

async function loadReport() {
  return askForReport();
}

async function showReport() {
  const report = await loadReport();
  await null;
  await wait(40);
  document.querySelector("#report").textContent = report.rows.map((row) => row.name).join("\n");
}

document.querySelector("#run").addEventListener("click", () => {
  showReport();
});
