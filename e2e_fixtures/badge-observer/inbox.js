// An answer changes the page, and what observes the page trips over it.
const unread = document.querySelector("#unread");

new MutationObserver(() => {
  const count = Number(unread.textContent);
  if (Number.isNaN(count)) throw new TypeError(`"${unread.textContent}" is not a count`);
  document.title = `(${count}) Inbox`;
}).observe(unread, { childList: true });

document.querySelector("#check").addEventListener("click", async () => {
  const response = await fetch("/api/unread");
  unread.textContent = `${(await response.json()).count}`;
});
