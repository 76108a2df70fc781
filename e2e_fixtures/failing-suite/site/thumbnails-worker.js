// Does not expect that there may be no images.
self.addEventListener("message", function makeThumbnails(event) {
  self.postMessage(event.data.images.length);
});
