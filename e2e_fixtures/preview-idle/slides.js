// Prepares a preview when the page has time.
document.querySelector("#preview").addEventListener("click", () => {
  fetch("/api/slides").then((response) => {
    requestIdleCallback(() => prepare(response), { timeout: 200 });
  });
});

function prepare(response) {
  queueMicrotask(() => {
    if (!response.ok) throw new Error("No slides to prepare");
  });
}
