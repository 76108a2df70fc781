// Great changes of the page: many nodes in one task, and where; a body that was emptied, or that shows nothing long after its load.
(fc) => {
  const TELL_FROM = 100; // nodes
  const COUNT_EVERY_MS = 250;
  const SETTLED_AFTER_MS = 1000;
  const EMPTY_AFTER_MS = 3000;
  const PAGE_FROM = 10; // elements
  const LEFT_AT_MOST = 0.3;
  const LOOKED_AT = 500;
  const DRAWN = "img, svg, canvas, video, iframe, object, embed, input, button, select, textarea, progress, meter";
  const NO_TEXT = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE"]);
  let counting = 0, settling = 0, emptying = 0;
  let before = 0;
  const elements = () => document.body ? document.body.getElementsByTagName("*").length : 0;
  const isVisible = (node) =>
    node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || getComputedStyle(node).display === "contents";
  const hasArea = (node) => {
    const { width, height } = node.getBoundingClientRect();
    return width > 1 && height > 1 && isVisible(node);
  };
  const isPainted = (node) => {
    const style = getComputedStyle(node);
    const framed = style.backgroundImage !== "none" || style.animationName !== "none" || parseFloat(style.borderTopWidth) > 0;
    return (framed || !/^(none|normal)$/.test(getComputedStyle(node, "::before").content)) && hasArea(node);
  };
  // Whether there is anything to see: text, something drawn, something that a style sheet paints. Looks at the layout, so seldom asked.
  const shows = () => {
    const body = document.body;
    if (!body || body.localName !== "body") return Boolean(body);
    const texts = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    for (let looked = 0; looked < LOOKED_AT && texts.nextNode(); ) {
      const text = texts.currentNode, parent = text.parentElement;
      if (NO_TEXT.has(parent.tagName) || !/\S/.test(text.data)) continue;
      looked++;
      if (isVisible(parent)) return true;
    }
    const all = [...body.getElementsByTagName("*")].slice(0, LOOKED_AT);
    if (all.some((node) => (node.localName.includes("-") || node.matches(DRAWN)) && hasArea(node))) return true;
    return all.some(isPainted);
  };
  const tell = (t, detail, element = "") => fc.tell([{ t, element, detail }]);

  const most = (records) => {
    const counts = new Map(), step = Math.ceil(records.length / LOOKED_AT);
    for (let i = 0; i < records.length; i += step) {
      const { target, addedNodes, removedNodes } = records[i];
      counts.set(target, (counts.get(target) || 0) + addedNodes.length + removedNodes.length);
    }
    return [...counts].reduce((one, other) => (other[1] > one[1] ? other : one))[0];
  };
  const changed = (records) => {
    let added = 0, removed = 0;
    for (let i = 0; i < records.length; i++) {
      added += records[i].addedNodes.length;
      removed += records[i].removedNodes.length;
    }
    if (added + removed >= TELL_FROM) tell(performance.now(), { kind: "mutation_batch", added, removed }, fc.selector(most(records)));
    if (!counting && window === top) counting = setTimeout(count, COUNT_EVERY_MS);
  };
  const isEmptied = (left, of) => of >= PAGE_FROM && left <= of * LEFT_AT_MOST;
  const count = () => {
    counting = 0;
    const was = before, emptiedMs = performance.now();
    before = elements();
    if (settling || !isEmptied(before, was)) return;
    settling = setTimeout(() => {
      settling = 0;
      const left = elements();
      if (isEmptied(left, was)) tell(emptiedMs, { kind: "body_emptied", before: was, left, shows: shows() });
    }, SETTLED_AFTER_MS);
  };
  const lookIfEmpty = () => {
    emptying = 0;
    if (location.href === "about:blank" || shows()) return;
    const scripts = document.getElementsByTagName("script").length;
    const held = document.body ? document.body.querySelectorAll("*:not(script, style, noscript, template, link, meta)").length : 0;
    tell(performance.now(), { kind: "body_empty", after_ms: EMPTY_AFTER_MS, elements: held, scripts });
  };
  const loaded = () => { emptying = setTimeout(lookIfEmpty, EMPTY_AFTER_MS); };
  const observer = new MutationObserver(changed);
  // What the parser adds looks like what scripts add: the page is watched from its end on.
  const parsed = () => {
    before = elements();
    observer.observe(document, { subtree: true, childList: true });
  };
  const when = (reached, target, type, then) => {
    if (reached) return then();
    target.addEventListener(type, then, { once: true });
    fc.onStop(() => target.removeEventListener(type, then));
  };
  when(document.readyState !== "loading", document, "DOMContentLoaded", parsed);
  if (window === top) when(document.readyState === "complete", window, "load", loaded);
  fc.onStop(() => {
    observer.disconnect();
    for (const timer of [counting, settling, emptying]) clearTimeout(timer);
  });
}
