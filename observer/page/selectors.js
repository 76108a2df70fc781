// How many elements each watched selector finds, told when the number changes between none, one and several.
(fc) => {
  const watched = fc.config.selectors;
  if (!watched.length) return;
  const CHECK_AFTER_MS = 50;
  const before = new Map();
  let timer = 0;
  const check = () => {
    timer = 0;
    const told = [];
    for (const selector of watched) {
      let count;
      try {
        count = document.querySelectorAll(selector).length;
      } catch {
        count = -1;
      }
      const was = before.get(selector);
      if (was !== count && Math.min(was ?? -2, 2) !== Math.min(count, 2)) {
        told.push({ t: performance.now(), detail: { kind: "selector", selector, count, before: was ?? -1 } });
      }
      before.set(selector, count);
    }
    fc.tell(told);
  };
  const later = () => { if (!timer) timer = setTimeout(check, CHECK_AFTER_MS); };
  const observer = new MutationObserver(later);
  observer.observe(document, { subtree: true, childList: true, attributes: true });
  document.addEventListener("DOMContentLoaded", check, { once: true });
  if (document.readyState !== "loading") check();
  fc.onStop(() => { observer.disconnect(); clearTimeout(timer); });
}
