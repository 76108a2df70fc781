// Suggestions come from a slow service and are then measured one by one.
const ALIGN_BUDGET_MS = 260;

export async function loadSuggestions() {
  const response = await fetch("/api/suggestions");
  showSuggestions(await response.json());
}

function showSuggestions(suggestions) {
  const list = document.querySelector("#suggestions");
  list.replaceChildren(...suggestions.map(suggestionCard));
  requestAnimationFrame(alignCardHeights);
}

function suggestionCard({ name, note }) {
  const card = document.createElement("li");
  card.innerHTML = `<b>${name}</b><small>${note}</small>`;
  return card;
}

// Writes a height and reads one back in turn, so each read lays the page out anew.
function alignCardHeights() {
  const cards = [...document.querySelectorAll(".product, #suggestions li")];
  const end_ms = performance.now() + ALIGN_BUDGET_MS;
  while (performance.now() < end_ms) {
    for (const card of cards) {
      card.style.minHeight = `${card.offsetHeight + 1}px`;
      card.style.minHeight = `${card.offsetHeight - 1}px`;
    }
  }
  for (const card of cards) card.style.minHeight = "";
}
