// A failure is put aside, and an interval that runs since the page was opened throws it.
let stored = null;

setInterval(() => {
  if (!stored) return;
  const error = stored;
  stored = null;
  throw error;
}, 250);

async function syncContacts() {
  const response = await fetch("/api/contacts");
  if (!response.ok) stored = new Error("Contacts are out of date");
}

document.querySelector("#sync").addEventListener("click", () => {
  syncContacts();
});
