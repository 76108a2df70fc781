// Says nothing when the server fails.
document.querySelector("#add").addEventListener("click", async function add() {
  const response = await fetch("/api/cart", { method: "POST", body: "{}" });
  if (response.ok) document.querySelector("#count").textContent = "1 item";
});
