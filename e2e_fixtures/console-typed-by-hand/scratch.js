// Saves; all else that fails in this story is typed into the console by somebody.
document.querySelector("#save").addEventListener("click", async () => {
  const response = await fetch("/api/scratch", { method: "PUT" });
  document.title = `${response.status}`;
});
