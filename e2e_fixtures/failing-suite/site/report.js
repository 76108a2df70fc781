// Keeps the page busy for longer than anybody waits, a moment after it was asked to.
function buildReport() {
  const end = performance.now() + 5_000;
  while (performance.now() < end);
  document.querySelector("#state").textContent = "The report is ready";
}

document.querySelector("#build").addEventListener("click", () => setTimeout(buildReport, 100));
