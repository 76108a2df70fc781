// Two towns by the same function at the same moment; only one of them fails.
async function loadTown(town) {
  const response = await fetch(`/api/weather/${town}`);
  if (!response.ok) throw new Error("No weather today");
  return response.json();
}

document.querySelector("#load").onclick = () => {
  ["bergen", "lagos"].forEach(loadTown);
};
