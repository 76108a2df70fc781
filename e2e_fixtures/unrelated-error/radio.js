// A clean-up that runs by itself fails just when a request has failed; neither has to do with the other.
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

document.querySelector("#play").addEventListener("click", async () => {
  const response = await fetch("/api/stream");
  document.querySelector("#play").disabled = !response.ok;
});

async function cleanUp() {
  while (!document.querySelector("#play").disabled) await wait(30);
  throw new TypeError("Old stations can't be removed");
}

cleanUp();
