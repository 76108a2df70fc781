// Shows a toast first and throws the error on when that is gone.
const toast = document.querySelector("#toast");

document.querySelector("#join").addEventListener("click", async () => {
  try {
    const response = await fetch("/api/newsletter", { method: "POST" });
    if (!response.ok) throw new Error("Could not join the newsletter");
  } catch (error) {
    showToast(error.message, () => {
      throw error;
    });
  }
});

function showToast(text, onGone) {
  toast.textContent = text;
  toast.hidden = false;
  setTimeout(() => {
    toast.hidden = true;
    onGone();
  }, 150);
}
