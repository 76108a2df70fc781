// Parses as JSON what a proxy has answered with a page, once by json() and once by JSON.parse.
document.querySelector("#first").addEventListener("click", async () => {
  const response = await fetch("/api/parcels/1");
  const parcel = await response.json();
  document.title = parcel.where;
});

document.querySelector("#second").addEventListener("click", () =>
  fetch("/api/parcels/2")
    .then((response) => response.text())
    .then((text) => {
      document.title = JSON.parse(text).where;
    }),
);
