// Whether the page rests: nobody has used it for a while, its main thread was free, and its load is over. For checks that nobody asked for.
(fc) => {
  // An empty tab and Chrome's own pages are nobody's work.
  if (!fc.config.a11y || window !== window.top || !/^(https?|file):$/.test(location.protocol)) return;
  const REST_MS = 2000, NEW_ELEMENTS = 10, MAX_ELEMENTS = 5000, MAX_LOOK_MS = 1000;
  // Also what scripts make of them: a driver fills in fields that way.
  const USED = ["pointerdown", "pointermove", "mousedown", "mousemove", "click", "keydown", "wheel", "touchstart", "input", "change", "submit"];
  let usedMs = 0, busyMs = 0, begunMs = 0, looked = false, tooSlow = false, added = 0, seen = 0;
  const elements = (root) => root.getElementsByTagName("*").length;
  const used = () => { usedMs = performance.now(); };
  for (const type of USED) {
    addEventListener(type, used, { capture: true, passive: true });
    fc.onStop(() => removeEventListener(type, used, { capture: true }));
  }
  const changes = new MutationObserver((records) => {
    for (const { addedNodes } of records) for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) added += 1 + elements(node);
  });
  changes.observe(document, { subtree: true, childList: true });
  const tasks = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!fc.isOurs(entry)) busyMs = Math.max(busyMs, entry.startTime + entry.duration);
  });
  tasks.observe({ type: "longtask" });
  const loadedMs = () => document.readyState === "complete" ? performance.getEntriesByType("navigation")[0]?.loadEventEnd ?? 0 : Infinity;
  fc.resting = {
    // Worth a look: it rests, is not too large, and much of it was not looked at so far.
    isDue() {
      const nowMs = performance.now();
      if (tooSlow || nowMs - Math.max(usedMs, busyMs, loadedMs()) < REST_MS) return false;
      if ((looked && added < NEW_ELEMENTS) || elements(document) > MAX_ELEMENTS) return false;
      begunMs = nowMs;
      seen = added;
      return true;
    },
    goesOn: () => !tooSlow && usedMs < begunMs,
    // How long a part of the look took: a page where that is long is not looked at again unless somebody asks.
    took(elapsedMs) { tooSlow = elapsedMs > MAX_LOOK_MS; },
    looked() { looked = true; added -= seen; },
  };
  fc.onStop(() => { changes.disconnect(); tasks.disconnect(); delete fc.resting; });
}
