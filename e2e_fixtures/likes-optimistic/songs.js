// Counts a like at once, and takes it back when the server does not.
const likes = document.querySelector("#likes");

function setLikes(count) {
  likes.textContent = count;
}

document.querySelector("#like").addEventListener("click", async () => {
  const before = Number(likes.textContent);
  setLikes(before + 1);
  try {
    const response = await fetch("/api/songs/9/likes", { method: "POST" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  } catch (error) {
    await new Promise(requestAnimationFrame);
    setLikes(before);
    console.warn("Like was taken back:", error.message);
    throw error;
  }
});
