// Keeps a draft in IndexedDB when the server does not take it, and only then tells.
function opened() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("diary", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("drafts", { autoIncrement: true });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

function kept(database, draft) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("drafts", "readwrite");
    transaction.objectStore("drafts").add(draft);
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
  });
}

document.querySelector("#save").addEventListener("click", async () => {
  const draft = { text: "It rained." };
  const response = await fetch("/api/diary", { method: "POST", body: JSON.stringify(draft) });
  if (response.ok) return;
  await kept(await opened(), draft);
  console.error("Only a draft was kept");
});
