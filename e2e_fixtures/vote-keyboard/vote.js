// Sends a vote when Enter is pressed.
document.querySelector("#vote").addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch("/api/votes", { method: "POST", body: new FormData(event.target) });
  if (!response.ok) console.error("Vote was not counted");
});
