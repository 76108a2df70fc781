// Prices over a WebSocket; the second message is not what the page expects.
document.querySelector("#follow").addEventListener("click", () => {
  const socket = new WebSocket(`ws://${location.host}/live/ticker`);
  socket.addEventListener("message", ({ data }) => showPrice(JSON.parse(data)));
});

function showPrice({ n, price }) {
  if (n > 1) document.querySelector("#price").textContent = price.toFixed(2);
}
