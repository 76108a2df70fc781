// Waits for all by Promise.allSettled: the failure is told when the slowest good answer is there.
const SERVICES = ["mail", "search", "billing"];

async function checkService(name) {
  const response = await fetch(`/api/status/${name}`);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

document.querySelector("#check").addEventListener("click", async () => {
  const results = await Promise.allSettled(SERVICES.map(checkService));
  const down = results.filter((result) => result.status === "rejected");
  if (down.length) console.error(`${down.length} of ${results.length} services are down`);
});
