// Suggestions by rxjs: typing is debounced, a newer search replaces an older one, and a failure ends the stream.
/* global rxjs */
const { debounceTime, from, fromEvent, map, switchMap } = rxjs;

async function search(text) {
  const response = await fetch(`/api/streets?like=${text}`);
  if (!response.ok) throw new Error(`No streets for ${text}`);
  return response.json();
}

fromEvent(document.querySelector("#street"), "input")
  .pipe(
    debounceTime(150),
    map(({ target }) => target.value),
    switchMap((text) => from(search(text))),
  )
  .subscribe({
    next: (streets) => (document.querySelector("#streets").textContent = streets.join(", ")),
    error: (error) => console.error("Suggestions ended:", error.message),
  });
