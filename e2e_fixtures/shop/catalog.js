// The shelf: products, the season's banner, and the partner's quality badge.
const products = [
  { sku: "KN-101", name: "Morning mug", note: "Ash glaze, 300 ml", price: 24, image: "mug.svg" },
  { sku: "KN-118", name: "Soup bowl", note: "Speckled, 600 ml", price: 28, image: "bowl.svg" },
  { sku: "KN-204", name: "Tall vase", note: "Iron red, 31 cm", price: 38, image: "vase.svg" },
  { sku: "KN-230", name: "Teapot for two", note: "Cane handle, 800 ml", price: 64, image: "teapot.svg" },
  { sku: "KN-241", name: "Dinner plate", note: "Celadon, 27 cm", price: 32, image: "plate.svg" },
  { sku: "KN-260", name: "Window planter", note: "Raw clay, with saucer", price: 42, image: "planter.svg" },
];

export function showProducts() {
  document.querySelector("#products").append(...products.map(productCard));
  loadQualityBadge();
}

function productCard(product) {
  const card = document.createElement("li");
  card.className = "product";
  card.innerHTML = `
    <figure><img src="images/${product.image}" alt="${product.name}" width="128" height="118"></figure>
    <div class="text"><h3>${product.name}</h3><p>${product.note}</p></div>
    <footer><span class="price">€ ${product.price}.00</span>
    <button type="button" data-sku="${product.sku}">Add to cart</button></footer>`;
  return card;
}

// The partner moved its script to another host; the page's policy doesn't know that one.
function loadQualityBadge() {
  const script = document.createElement("script");
  script.src = `http://localhost:${location.port}/partner/quality-badge.js`;
  document.head.append(script);
}

// Comes late and pushes the whole shelf down.
export function showSeasonBanner() {
  const banner = document.createElement("div");
  banner.className = "banner";
  banner.innerHTML = `
    <div><strong>Winter firing, 15 % off</strong>Every glaze from the December kiln.</div>
    <div class="pieces">${["vase", "teapot", "bowl"].map((name) => `<img src="images/${name}.svg" alt="">`).join("")}</div>
    <span>See the pieces</span>`;
  document.querySelector("#banner-slot").append(banner);
}

export function comparePrices() {
  const till = { "KN-204": 41 };
  for (const { sku, price } of products) {
    if (till[sku] && till[sku] !== price) console.error(`Price mismatch for ${sku}: shelf ${price}, till ${till[sku]}`);
  }
}

// Ranks every product against every visitor of the day in one go; the time budget keeps the freeze alike on every machine.
export function rankProducts() {
  const end_ms = performance.now() + 320;
  const scores = new Map(products.map(({ sku }) => [sku, 0]));
  for (let visitor = 0; performance.now() < end_ms; visitor += 1) {
    for (const { sku, price } of products) scores.set(sku, (scores.get(sku) + price * visitor) % 97);
  }
}
