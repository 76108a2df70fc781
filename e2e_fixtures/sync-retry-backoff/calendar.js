// Asks again by recursion, after longer and longer pauses, and gives up.
const ATTEMPTS = 3;
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

async function askCalendar(attempt) {
  const response = await fetch(`/api/calendar?attempt=${attempt}`);
  if (response.ok) return response.json();
  if (attempt === ATTEMPTS) throw new Error("Calendar gave up");
  await wait(60 * attempt);
  return askCalendar(attempt + 1);
}

document.querySelector("#sync").addEventListener("click", () => {
  askCalendar(1);
});
