// Two lines by the same function: the one that is answered first fails last.
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

async function loadLine(name, shown_after_ms) {
  const response = await fetch(`/api/lines/${name}`);
  await wait(shown_after_ms);
  throw new Error(`Line ${name} shows ${response.status}`);
}

document.querySelector("#load").onclick = () => {
  loadLine("north", 220);
  loadLine("south", 10);
};
