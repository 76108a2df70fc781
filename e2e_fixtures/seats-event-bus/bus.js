// A bus on which parts of the page hear of each other.
const bus = new EventTarget();

function tell(name, detail) {
  bus.dispatchEvent(new CustomEvent(name, { detail }));
}

bus.addEventListener("changed", ({ detail }) => {
  if (!detail.seats) throw new Error(`Seats are unknown after ${detail.by}`);
});
