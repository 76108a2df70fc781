// Searches a moment after the last key; a button asks for something else meanwhile.
let pause;

document.querySelector("#word").addEventListener("input", ({ target }) => {
  clearTimeout(pause);
  pause = setTimeout(() => search(target.value), 400);
});

async function search(word) {
  const response = await fetch(`/api/words?like=${word}`);
  if (!response.ok) console.error(`Nothing found for ${word}`);
}

document.querySelector("#random").addEventListener("click", async () => {
  const response = await fetch("/api/words/random");
  if (!response.ok) console.error("No random word");
});
