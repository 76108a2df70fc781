// Opens the shop: every part starts on its own, as in a real page.
import { countVisit } from "./analytics.js";
import { listenToCart } from "./cart.js";
import { comparePrices, rankProducts, showProducts, showSeasonBanner } from "./catalog.js";
import { listenToCheckout } from "./checkout.js";
import { connectKiln } from "./kiln-live.js";
import { openReviews } from "./reviews.js";
import { checkStock } from "./stock.js";
import { loadSuggestions } from "./suggestions.js";
import { visit } from "./visitor.js";

const after = (delay_ms, start) => setTimeout(start, delay_ms);

showProducts();
listenToCart();
listenToCheckout();
visit();

after(200, connectKiln);
after(400, countVisit);
after(800, showSeasonBanner);
after(1000, loadSuggestions);
after(1200, comparePrices);
after(1500, () => requestAnimationFrame(rankProducts));
after(2200, checkStock);
after(5300, openReviews);
