// A page whose requests go through a service worker, which turns a bad answer into no answer.
navigator.serviceWorker.register("sw.js").then(async () => {
  await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) {
    await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
  }
  document.querySelector("#state").dataset.ready = "yes";
});

document.querySelector("#borrow").addEventListener("click", async () => {
  try {
    await fetch("/api/loans", { method: "POST" });
  } catch (error) {
    console.error("You seem to be offline:", error.message);
  }
});
