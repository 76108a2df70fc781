// Two lists that need a token.
/* global ask */
for (const list of ["marks", "dates"]) {
  document.querySelector(`#${list}`).addEventListener("click", () => {
    ask(`/api/${list}`);
  });
}
