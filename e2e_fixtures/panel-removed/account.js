// Takes the panel away when the session is over.
document.querySelector("#reload").addEventListener("click", async () => {
  const response = await fetch("/api/account");
  if (response.status === 401) document.querySelector("#panel").remove();
});
