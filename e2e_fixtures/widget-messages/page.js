// Talks to a widget in a frame by messages.
const widget = document.querySelector("#widget");

document.querySelector("#ask").onclick = () => widget.contentWindow.postMessage({ want: "stars" }, "*");
document.querySelector("#break").onclick = () => widget.contentWindow.postMessage(null, "*");
addEventListener("message", ({ data }) => {
  if (data.failed) console.error("The widget has no stars");
});
