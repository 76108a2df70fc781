// Two questions with a time limit of the browser's own; one of them keeps it.
async function ask(path, patience_ms) {
  const response = await fetch(path, { signal: AbortSignal.timeout(patience_ms) });
  return response.json();
}

document.querySelector("#rooms").addEventListener("click", () => {
  ask("/api/rooms/free", 200);
  ask("/api/rooms/price", 2000);
});
