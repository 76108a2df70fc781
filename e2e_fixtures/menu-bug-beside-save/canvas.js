// A menu with a bug of its own, clicked while the failure of a save is still being worked on.
const wait = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

document.querySelector("#save").onclick = async () => {
  const response = await fetch("/api/canvas", { method: "PUT" });
  await wait(600);
  document.title = response.ok ? "Saved" : "Not saved";
};

document.querySelector("#menu").addEventListener("click", () => {
  openMenu();
});
