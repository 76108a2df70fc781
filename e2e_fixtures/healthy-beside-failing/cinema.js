// One list works and goes on asking for details, the other one fails; both by the same functions.
async function ask(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`Could not load ${path}`);
  return response.json();
}

async function show(list) {
  const { first } = await ask(`/api/${list}`);
  await ask(`/api/${list}/${first}`);
}

for (const list of ["films", "seats"]) {
  document.querySelector(`#${list}`).addEventListener("click", () => {
    show(list);
  });
}
