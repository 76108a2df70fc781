// Starts a solver that is on its own, and asks for hints.
new Worker("solver.js", { name: "solver" });

document.querySelector("#hint").addEventListener("click", async () => {
  const response = await fetch("/api/hint");
  document.title = `${response.status}`;
});
