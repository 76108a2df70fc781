// A save and a load that overlap and both fail, each at its own place.
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

async function saveRecipe() {
  const response = await fetch("/api/recipes/5", { method: "PUT" });
  if (!response.ok) throw new Error("Recipe was not saved");
}

async function loadMore() {
  const response = await fetch("/api/recipes?page=2");
  await wait(350);
  if (!response.ok) throw new Error("No more recipes");
}

document.querySelector("#save").onclick = () => {
  saveRecipe();
};
document.querySelector("#more").onclick = () => {
  loadMore();
};
