// Reviews live on another site, in a frame.
export function openReviews() {
  const frame = document.createElement("iframe");
  frame.title = "Reviews";
  frame.src = `http://localhost:${location.port}/reviews-frame.html`;
  document.querySelector("#reviews-frame").append(frame);
}
