// Prints one thing at a time: a job begins when the one before it is done, in the task that tells so.
let last = Promise.resolve();

async function print(job) {
  const response = await fetch(`/api/print/${job}`, { method: "POST" });
  if (!response.ok) console.error(`The ${job} was not printed`);
}

for (const job of ["letter", "label", "photo"]) {
  document.querySelector(`#${job}`).addEventListener("click", () => (last = last.then(() => print(job))));
}
