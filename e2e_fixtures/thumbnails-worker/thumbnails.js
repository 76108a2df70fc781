// Shrinks pictures and fetches them, beside the page.
self.onmessage = ({ data }) => {
  if (data.job === "shrink") shrink(data.width);
  else fetchThumbnails();
};

function shrink(width) {
  if (!width) throw new RangeError("A thumbnail needs a width");
}

async function fetchThumbnails() {
  const response = await fetch("/api/thumbnails");
  self.postMessage({ status: response.status });
}
