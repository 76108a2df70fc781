// Pages of an archive by an async generator; the third is broken.
async function* pages() {
  for (let number = 1; number <= 4; number += 1) {
    const response = await fetch(`/api/archive/${number}`);
    yield await response.json();
  }
}

document.querySelector("#all").addEventListener("click", async () => {
  const names = [];
  for await (const { entries } of pages()) names.push(...entries.map((entry) => entry.name));
  document.title = names.join();
});
