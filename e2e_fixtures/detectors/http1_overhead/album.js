// Shows an album: all of its pictures are loaded at once.
const many = Number(new URLSearchParams(location.search).get("pictures"));

document.querySelector("#open").addEventListener("click", async () => {
  const numbers = Array.from({ length: many }, (_, i) => i + 1);
  const pictures = await Promise.all(numbers.map(async (number) => (await fetch(`/pictures/${number}`)).text()));
  for (const picture of pictures) document.querySelector("#album").insertAdjacentHTML("beforeend", `<li>${picture}</li>`);
  document.body.insertAdjacentHTML("beforeend", '<p id="all">All are here</p>');
});
