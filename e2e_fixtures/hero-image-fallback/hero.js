// A picture with two substitutes, each asked for when the one before is missing.
const SOURCES = ["/hero/large.avif", "/hero/large.webp", "/hero/small.png"];

document.querySelector("#show").addEventListener("click", () => {
  const picture = new Image(320, 200);
  let next = 0;
  picture.addEventListener("error", () => {
    next += 1;
    if (next < SOURCES.length) picture.src = SOURCES[next];
    else console.warn("No picture of this place");
  });
  picture.src = SOURCES[next];
  document.querySelector("#hero").append(picture);
});
