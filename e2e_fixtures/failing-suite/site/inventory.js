// Fails in good order: it says so, and a test expects that.
document.querySelector("#refresh").addEventListener("click", async function refresh() {
  const response = await fetch("/api/stock");
  if (!response.ok) {
    console.error("The stock could not be read", response.status);
    document.querySelector("#stock").textContent = "Stock is not known";
  }
});
