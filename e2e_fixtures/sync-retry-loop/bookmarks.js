// Asks again in a loop with try and catch, and logs when it gives up.
const ATTEMPTS = 4;
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

async function pushBookmarks() {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      const response = await fetch(`/api/bookmarks?attempt=${attempt}`, { method: "POST" });
      if (response.ok) return;
      throw new Error(`HTTP ${response.status}`);
    } catch (error) {
      if (attempt === ATTEMPTS) console.error("Bookmarks were not pushed:", error.message);
      else await wait(40 * attempt);
    }
  }
}

document.querySelector("#push").addEventListener("click", pushBookmarks);
