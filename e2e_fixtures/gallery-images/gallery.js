// Two pictures by the same function; both are missing, and the second one is missed first.
function showPicture(name) {
  const picture = new Image(120, 80);
  picture.onerror = () => console.error(`Picture ${name} is broken`);
  picture.src = `/pictures/${name}.jpg`;
  document.querySelector("#gallery").append(picture);
}

document.querySelector("#open").onclick = () => {
  ["harbour", "meadow"].forEach(showPicture);
};
