// Two rows are removed by one and the same handler; both fail, and the messages come in the opposite order of the answers.
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

async function removeGuest({ guest, pause }) {
  try {
    const response = await fetch(`/api/guests/${guest}`, { method: "DELETE" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  } catch {
    await wait(Number(pause));
    console.error(`Could not remove ${guest}`);
  }
}

document.querySelector("#guests").addEventListener("click", ({ target }) => {
  if (target.dataset.guest) removeGuest(target.dataset);
});
