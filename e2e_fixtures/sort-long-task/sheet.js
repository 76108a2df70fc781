// A busy page: a click that comes while an answer is being worked on is handled before the frame that fails.
function beBusy(busy_ms) {
  const end_ms = performance.now() + busy_ms;
  while (performance.now() < end_ms);
}

document.querySelector("#sort").onclick = async () => {
  const response = await fetch("/api/sheet");
  beBusy(400);
  requestAnimationFrame(() => {
    throw new Error(`Sheet has no columns (${response.status})`);
  });
};

document.querySelector("#print").onclick = () => {
  console.error("There is no printer");
};
