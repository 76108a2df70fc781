// Loads a part of the app by a script element, as bundlers do; the part is gone since the last release.
function loadChunk(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `/assets/${name}.4f1d.js`;
    script.onload = () => resolve(globalThis[name]);
    script.onerror = () => reject(new Error(`Loading chunk ${name} failed`));
    document.head.append(script);
  });
}

document.querySelector("#compose").addEventListener("click", async () => {
  const composer = await loadChunk("composer");
  composer.open();
});
