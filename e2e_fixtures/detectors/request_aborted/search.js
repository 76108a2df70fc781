// Searches with every letter, and cancels the search for what was typed before.
let searching = new AbortController();

async function search({ target }) {
  searching.abort();
  searching = new AbortController();
  try {
    const response = await fetch(`/api/teas?q=${target.value}`, { signal: searching.signal });
    const teas = await response.json();
    document.querySelector("#results").innerHTML = teas.map((tea) => `<li>${tea}</li>`).join("");
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

document.querySelector("#search").addEventListener("input", search);
