// A worker that throws on one message, and fails a request on another.
const worker = new Worker("thumbnails.js", { name: "thumbnails" });

worker.onerror = () => console.error("The thumbnail worker died");
worker.onmessage = ({ data }) => {
  if (data.status >= 400) throw new Error("No thumbnails today");
};

document.querySelector("#shrink").onclick = () => worker.postMessage({ job: "shrink", width: 0 });
document.querySelector("#fetch").onclick = () => worker.postMessage({ job: "fetch" });
