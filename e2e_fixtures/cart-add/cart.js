// Adds the lamp to the cart; what goes wrong is thrown in a then().
const note = document.querySelector("#note");

document.querySelector("#add").addEventListener("click", () => {
  fetch("/api/cart", { method: "POST", body: JSON.stringify({ sku: "LM-12" }) }).then((response) => {
    if (!response.ok) throw new Error(`Cart answered ${response.status}`);
    note.textContent = "It is in your cart.";
  });
});
