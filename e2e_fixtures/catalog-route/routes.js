// A small router: it changes the address, then loads what belongs there.
const LOADERS = { "/chairs": loadShelf, "/tables": loadShelf };

async function loadShelf(path) {
  const response = await fetch(`/api${path}`);
  if (!response.ok) throw new Error(`Nothing at ${path}`);
  return response.json();
}

async function goTo(path) {
  history.pushState({}, "", path);
  const shelf = await LOADERS[path](path);
  document.querySelector("main").textContent = shelf.names.join(", ");
}

document.querySelector("nav").addEventListener("click", (event) => {
  event.preventDefault();
  if (event.target.pathname) goTo(event.target.pathname);
});
