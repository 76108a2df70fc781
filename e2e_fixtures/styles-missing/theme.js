// Puts a theme on the page and notices that it is missing: by its element, and by how the page looks in the end.
const theme = document.createElement("link");
theme.rel = "stylesheet";
theme.href = "/themes/dusk.css";
theme.addEventListener("error", () => console.error("Theme dusk did not load"));
document.head.append(theme);

addEventListener("load", () => {
  if (getComputedStyle(document.body).backgroundColor !== "rgb(20, 20, 40)") {
    console.warn("The page looks bare");
  }
});
