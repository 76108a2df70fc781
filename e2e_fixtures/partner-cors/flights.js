// Asks a partner on another site, which lets nobody read its answers.
document.querySelector("#search").addEventListener("click", async () => {
  const response = await fetch(`http://localhost:${location.port}/partner/flights`);
  document.title = await response.text();
});
