// Shows as many pictures as the address says; who moved them has forgotten this page.
const pictures = Number(new URLSearchParams(location.search).get("pictures"));
const gallery = document.querySelector("#gallery");

function picture(number) {
  return new Promise((resolve) => {
    const image = new Image(120, 80);
    image.onload = image.onerror = resolve;
    image.src = `/pictures/kiln-${number}.webp`;
    gallery.append(image);
  });
}

Promise.all(Array.from({ length: pictures }, (_, i) => picture(i + 1))).then(() => {
  gallery.insertAdjacentHTML("afterend", `<p id="caption">${pictures} pictures</p>`);
});
