// Two buttons whose answers are told on the bus.
/* global tell */
for (const by of ["reserve", "release"]) {
  document.querySelector(`#${by}`).addEventListener("click", async () => {
    const response = await fetch(`/api/seats/${by}`, { method: "POST" });
    const { seats } = await response.json();
    tell("changed", { by, seats });
  });
}
