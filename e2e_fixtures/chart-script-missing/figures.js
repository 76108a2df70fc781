// Draws with a library whose script did not load.
/* global chartkit */
document.querySelector("#draw").addEventListener("click", () => {
  chartkit.draw(document.querySelector("#chart"), [3, 1, 2]);
});
