// The cart: saves a piece, then tells the page, which believes every answer is a cart.
const lines = [{ name: "Morning mug", price: 24 }, { name: "Window planter", price: 42 }];

export function listenToCart() {
  document.addEventListener("cart:saved", (event) => updateCartBadge(event.detail));
  document.querySelector("#products").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-sku]");
    if (button) addToCart(button);
  });
  document.querySelector("#cart-lines").append(...lines.map(cartLine));
}

function cartLine({ name, price }) {
  const line = document.createElement("li");
  const amount = document.createElement("span");
  amount.textContent = `€ ${price}.00`;
  line.append(name, amount);
  return line;
}

async function addToCart(button) {
  button.disabled = true;
  button.textContent = "Adding…";
  const answer = await saveCart(button.dataset.sku);
  button.disabled = false;
  button.textContent = "Add to cart";
  showHint("That piece could not be added.");
  document.dispatchEvent(new CustomEvent("cart:saved", { detail: answer }));
}

async function saveCart(sku) {
  const response = await fetch("/api/cart", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sku, quantity: 1 }),
  });
  return response.json();
}

function updateCartBadge(answer) {
  document.querySelector("#cart-count").textContent = answer.cart.items.length;
}

function showHint(text) {
  const hint = document.querySelector("#cart-hint");
  hint.textContent = text;
  hint.classList.add("bad");
}
