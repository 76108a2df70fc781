// Waits for an answer that never comes, because the worker throws.
const worker = new Worker("thumbnails-worker.js");
worker.addEventListener("message", (event) => {
  document.querySelector("#made").textContent = `${event.data} thumbnails`;
});
document.querySelector("#make").addEventListener("click", () => worker.postMessage({ images: null }));
