// Adds up what was sold; the server takes its time.
async function loadReport() {
  const { sum } = await (await fetch("/api/report?year=2026")).json();
  document.querySelector("#sum").innerHTML = `<b>${sum} €</b>`;
}

document.querySelector("#report").addEventListener("click", loadReport);
