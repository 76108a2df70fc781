// Whoever is not logged in any more is sent to the login.
document.querySelector("#statement").addEventListener("click", async function showStatement() {
  const response = await fetch("/api/statement");
  if (response.status === 401) location.href = "/login";
  else document.querySelector("main").innerHTML = "<h2>Your statement</h2>";
});
