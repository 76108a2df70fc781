// Pays, on its own site, and tells the page around it.
document.querySelector("#pay").addEventListener("click", async () => {
  const response = await fetch("/api/payments", { method: "POST" });
  parent.postMessage({ paid: response.ok }, "*");
});
