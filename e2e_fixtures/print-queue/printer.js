// A queue of jobs that an interval works off, so that the click that made a job is far from its request.
const queue = [];

setInterval(async () => {
  const job = queue.shift();
  if (!job) return;
  const response = await fetch(`/api/print/${job}`, { method: "POST" });
  if (!response.ok) console.error(`The ${job} was not printed`);
}, 40);

for (const job of ["letter", "label"]) {
  document.querySelector(`#${job}`).addEventListener("click", () => queue.push(job));
}
