// Asks a worker by MessageChannel: every question brings a port for its answer.
const worker = new Worker("rates.js", { name: "rates" });

function rateOf(currency) {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => (data.rate ? resolve(data.rate) : reject(new Error(`No rate for ${currency}`)));
    worker.postMessage({ currency }, [port2]);
  });
}

for (const currency of ["euro", "yen"]) {
  document.querySelector(`#${currency}`).addEventListener("click", async () => {
    document.title = await rateOf(currency);
  });
}
