// Asks for stars when it is told to, and can't read an empty message.
addEventListener("message", async ({ data }) => {
  const response = await fetch(`/api/${data.want}`);
  if (!response.ok) parent.postMessage({ failed: true }, "*");
});
