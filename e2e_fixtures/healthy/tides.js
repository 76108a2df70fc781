// A page in good health: requests, a worker, a socket, timers and updates, all of which succeed.
const show = (id, text) => (document.getElementById(id).textContent = text);

const worker = new Worker("mean-worker.js", { name: "mean" });
worker.onmessage = ({ data }) => show("mean", data.toFixed(1));

async function loadTides() {
  const response = await fetch("/api/tides");
  const { level_m, tides } = await response.json();
  show("level", level_m.toFixed(1));
  document.getElementById("tides").replaceChildren(...tides.map(tideRow));
  worker.postMessage(tides.map(({ height_m }) => height_m));
}

function tideRow({ at, height_m }) {
  const row = document.createElement("li");
  const height = document.createElement("span");
  height.textContent = `${height_m.toFixed(1)} m`;
  row.append(at, height);
  return row;
}

function followGauge() {
  const socket = new WebSocket(`ws://${location.host}/live/gauge`);
  socket.onmessage = ({ data }) => show("reading", JSON.parse(data).n);
}

function showTime() {
  show("clock", new Date().toLocaleTimeString("en-GB"));
}

document.getElementById("reload").addEventListener("click", loadTides);
loadTides();
followGauge();
showTime();
setInterval(showTime, 1000);
setInterval(loadTides, 5000);
