// The server takes its time.
document.querySelector("#search").addEventListener("click", async function search() {
  for (const name of await (await fetch("/api/search?q=tea")).json()) {
    const item = document.createElement("li");
    item.textContent = name;
    document.querySelector("#found").append(item);
  }
});
