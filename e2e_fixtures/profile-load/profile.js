// Loads a profile with await, after a good request for the session.
document.querySelector("#show").addEventListener("click", showProfile);

async function showProfile() {
  const session = await (await fetch("/api/session")).json();
  const response = await fetch(`/api/profile/${session.user}`);
  if (!response.ok) throw new Error("Profile is not available");
  document.querySelector("#profile").textContent = JSON.stringify(await response.json());
}
