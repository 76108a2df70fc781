// Checkout: shipping options, the voucher, and the sum that should agree with the cart.
export function listenToCheckout() {
  document.querySelector("#show-shipping").addEventListener("click", () => {
    showShippingOptions();
    checkTotal();
  });
  document.querySelector("#voucher-form").addEventListener("submit", (event) => {
    event.preventDefault();
    applyVoucher(document.querySelector("#voucher").value);
  });
}

// Nobody waits for this promise, so nobody hears that it failed.
async function showShippingOptions() {
  document.querySelector("#shipping").textContent = "asking…";
  const options = await loadShippingOptions();
  document.querySelector("#shipping").textContent = options[0].label;
}

async function loadShippingOptions() {
  const response = await fetch("/api/shipping?country=AT");
  if (!response.ok) throw new Error(`Shipping options unavailable (${response.status})`);
  return response.json();
}

function checkTotal() {
  const shown_cents = 6600;
  const sum_cents = 2400 + 4200 + 590;
  console.assert(shown_cents === sum_cents, "Cart total is out of step: shown %d, sum %d", shown_cents, sum_cents);
}

let is_voucher_used = false;

function applyVoucher(code) {
  if (is_voucher_used) return;
  is_voucher_used = true;
  const saved_euro = recalculateDiscounts(code);
  document.querySelector("#cart-total").textContent = `€ ${(66 - saved_euro).toFixed(2)}`;
}

// Tries every combination of discounts; the time budget keeps the freeze alike on every machine.
function recalculateDiscounts(code) {
  const end_ms = performance.now() + 1600;
  let best_percent = 0;
  for (let combination = 1; performance.now() < end_ms; combination += 1) {
    let percent = 0;
    for (let bit = 0; bit < 16; bit += 1) percent += (combination >> bit) & 1 ? code.length / 8 : 0;
    best_percent = Math.max(best_percent, Math.min(percent, 15));
  }
  return (66 * best_percent) / 100;
}
