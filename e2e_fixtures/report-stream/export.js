// Reads an answer line by line as it comes; a line in the middle is not what it should be.
async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines;
  }
}

document.querySelector("#export").addEventListener("click", async () => {
  const response = await fetch("/api/export");
  for await (const line of linesOf(response.body)) {
    document.querySelector("#rows").append(`${JSON.parse(line).name}\n`);
  }
});
