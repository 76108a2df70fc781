// Gives the quote 150 ms, then aborts its request.
const PATIENCE_MS = 150;

document.querySelector("#quote").addEventListener("click", async () => {
  const controller = new AbortController();
  const patience = setTimeout(() => controller.abort(), PATIENCE_MS);
  try {
    const response = await fetch("/api/quote", { signal: controller.signal });
    document.title = await response.text();
  } catch (error) {
    console.error("The quote took too long:", error.name);
  } finally {
    clearTimeout(patience);
  }
});
