// Goes to the login page when the session is over.
document.querySelector("#open").addEventListener("click", async () => {
  const response = await fetch("/api/wallet");
  if (response.status === 401) location.assign("/login.html");
});
