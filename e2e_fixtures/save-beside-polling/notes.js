// Saves the note; a failure is logged and shown nowhere.
async function save() {
  try {
    const response = await fetch("/api/notes/7", { method: "PUT", body: document.querySelector("#text").value });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    document.querySelector("#state").dataset.status = "success";
  } catch (error) {
    console.error("Note was not saved:", error.message);
  }
}

document.querySelector("#save").addEventListener("click", save);
