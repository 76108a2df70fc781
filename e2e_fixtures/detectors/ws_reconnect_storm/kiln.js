// The temperature comes over a WebSocket, which the server keeps closing.
let connections_left = Number(new URLSearchParams(location.search).get("connections"));
const temperature = document.querySelector("#temperature");

function connectKiln() {
  connections_left -= 1;
  const socket = new WebSocket(`ws://${location.host}/live/kiln`);
  socket.onmessage = ({ data }) => { temperature.textContent = `1 24${JSON.parse(data).n} °C`; };
  socket.onclose = () => {
    if (connections_left > 0) setTimeout(connectKiln, 100);
    else temperature.innerHTML = "<em>unknown</em>";
  };
}

connectKiln();
