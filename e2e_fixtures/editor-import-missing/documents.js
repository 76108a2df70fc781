// Imports the editor when it is wanted; its file is gone.
document.querySelector("#edit").addEventListener("click", async () => {
  const { openEditor } = await import("./editor-v3.js");
  openEditor();
});
