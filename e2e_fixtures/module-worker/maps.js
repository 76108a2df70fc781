// Asks a module worker for a route; its answer has none.
const worker = new Worker(new URL("router.js", import.meta.url), { type: "module" });

worker.addEventListener("message", ({ data }) => {
  if (!data.route) console.error("No route was found:", data.reason);
});

document.querySelector("#route").addEventListener("click", () => {
  worker.postMessage({ from: "Porto", to: "Braga" });
});
