// The kiln's temperature over a WebSocket that the server keeps closing.
const RECONNECT_DELAY_MS = 400;
let connections_left = 6;

export function connectKiln() {
  connections_left -= 1;
  const socket = new WebSocket(`ws://${location.host}/live/kiln`);
  socket.onmessage = ({ data }) => showTemperature(JSON.parse(data));
  socket.onclose = ({ code }) => reconnectKiln(code);
}

function showTemperature({ n }) {
  document.querySelector("#kiln-temperature").textContent = `1 24${n} °C`;
}

function reconnectKiln(code) {
  if (connections_left > 0) {
    setTimeout(connectKiln, RECONNECT_DELAY_MS);
    return;
  }
  document.querySelector("#live").classList.add("lost");
  console.warn(`Kiln feed lost: closed with ${code}`);
}
