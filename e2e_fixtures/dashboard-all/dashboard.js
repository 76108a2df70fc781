// Three tiles by Promise.all; one of them fails first.
const TILES = ["sales", "visits", "returns"];

async function loadTile(name) {
  const response = await fetch(`/api/tiles/${name}`);
  if (!response.ok) throw new Error(`A tile is missing (${response.status})`);
  return response.json();
}

document.querySelector("#refresh").addEventListener("click", async () => {
  const tiles = await Promise.all(TILES.map(loadTile));
  document.querySelector("#tiles").textContent = JSON.stringify(tiles);
});
