// Two downloads that overlap, whose checksums are computed before they are found wrong.
async function download(name) {
  const response = await fetch(`/files/${name}.bin`);
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if (digest[0] !== 0) throw new Error(`Checksum of ${name} is wrong`);
}

for (const name of ["tools", "fonts"]) {
  document.querySelector(`#${name}`).addEventListener("click", () => {
    download(name);
  });
}
