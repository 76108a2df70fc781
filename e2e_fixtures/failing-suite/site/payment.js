// Offers nothing when the server has nothing to offer.
async function offer() {
  const response = await fetch("/api/payment-methods");
  if (!response.ok) return console.error("No payment methods", response.status);
  document.querySelector("#methods").innerHTML = "<label>Card <input></label>";
}

offer();
