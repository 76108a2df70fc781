// Whether anything followed a click: told when nothing had after one second, and again after seven. No opinion, and no cost between.
(fc) => {
  const TELL_AFTER_MS = [1000, 7000];
  const NOT_WATCHED = "a[target]:not([target=_self]), a[download], input:not([type=button], [type=submit], [type=reset], [type=image]), "
    + "textarea, select, option, canvas, video, audio, object, embed, "
    + "[aria-disabled=true], [aria-selected=true], [aria-checked=true][role=radio], [aria-current]:not([aria-current=false])";
  const CHOSEN = /(^|[-_ ])(active|current|disabled|selected)($|[-_ ])/; // what is chosen already need do nothing
  const CLICKABLE = "button, a[href], label, summary, [onclick], [role=button], [role=link], [role=tab], [role=menuitem], [role=switch], "
    + "input[type=button], input[type=submit], input[type=reset], input[type=image]";
  const TYPED_INTO = "input:not([type=button], [type=submit], [type=reset], [type=image], [type=checkbox], [type=radio]), textarea, select";
  const SIGNS = [
    "animationstart", "transitionrun", "beforeprint", "change", "copy", "focusin", "fullscreenchange", "input", "invalid", "pause", "play",
    "reset", "scroll", "seeking", "selectionchange", "toggle", "volumechange",
  ];
  const ELSEWHERE = "canvas, iframe, frame, object, embed"; // what changes in there can't be seen from here
  const SEEN_FROM_PX = 40;
  const COMPONENTS = '//*[contains(local-name(), "-")]';
  const LOOKED_AT = 5000;
  const ALL = { subtree: true, childList: true, attributes: true, characterData: true };
  let watching = false, followedMs = -1;
  let press = null; // the pointer is down
  let pressed = null, onText = false; // where it last was
  const roots = new Set();
  let looked = 0; // elements in shadow trees
  const waiting = new Set();
  const mutations = new MutationObserver(() => followed());
  const stopWatching = () => {
    if (!watching) return;
    watching = false;
    mutations.disconnect();
    for (const type of SIGNS) removeEventListener(type, sign, { capture: true });
    roots.clear(); // what the page removes, which is a sign, must not be kept alive from here
    pressed = null;
  };
  // One sign is enough for all clicks before it; the next press watches anew.
  const followed = () => {
    followedMs = performance.now();
    for (const timer of waiting) clearTimeout(timer);
    waiting.clear();
    stopWatching();
  };
  // Who clicks twice on a button's words does not mean to select them.
  const selects = () => onText && getSelection().type === "Range";
  const sign = (event) => {
    const target = event.composedPath()[0] || event.target;
    if (event.type === "focusin" && !(target.isContentEditable || (target.matches && target.matches(TYPED_INTO)))) return;
    if (event.type === "selectionchange" && !selects()) return;
    // How a button looks while it is pressed, or what holds it while the pointer is over it, is no effect of a click.
    const styled = event.type === "transitionrun" || event.type === "animationstart";
    if (styled && pressed && (target.contains(pressed) || pressed.contains(target))) return;
    followed();
  };
  const watchRoot = (root) => {
    if (roots.has(root)) return false;
    roots.add(root);
    mutations.observe(root, ALL);
    return true;
  };
  const watch = (path) => {
    watchRoot(document);
    for (const node of path) if (node instanceof ShadowRoot) watchRoot(node);
    if (watching) return;
    watching = true;
    for (const type of SIGNS) addEventListener(type, sign, { capture: true, passive: true });
  };
  // A component answers to what happens in another. That a plain element holds a shadow tree is seldom, and looking for it is slow.
  const watchComponents = () => {
    looked = 0;
    const found = document.evaluate(COMPONENTS, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
    for (let i = 0; i < found.snapshotLength; i++) watchShadow(found.snapshotItem(i));
    for (const root of [...roots]) if (root !== document) watchWithin(root);
  };
  const watchShadow = (node) => {
    if (node.shadowRoot && watchRoot(node.shadowRoot)) watchWithin(node.shadowRoot);
  };
  const watchWithin = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (++looked > LOOKED_AT) return;
      watchShadow(node);
    }
  };
  const isWatched = (path) => {
    for (const node of path) {
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      if (node.matches(NOT_WATCHED) || node.isContentEditable) return false;
      if (node.localName === "label" && node.control && node.control.matches(NOT_WATCHED)) return false;
      if (node.localName === "a" && node.href && leadsNowhereNew(node)) return false;
    }
    const clicked = path.find((node) => node.matches && node.matches(CLICKABLE)) || path[0];
    return ![clicked, clicked.parentElement].some((node) => node && CHOSEN.test(node.getAttribute("class") || ""));
  };
  // To another program, or to where the page is already.
  const leadsNowhereNew = (link) =>
    !/^(https?|file|javascript|blob):$/.test(link.protocol) || (link.href === location.href && link.getAttribute("href") !== "#");
  const isClickable = (path) => {
    const page = path.indexOf(document.body);
    const within = page < 0 ? path : path.slice(0, page);
    if (within.some((node) => node.matches && node.matches(CLICKABLE))) return true;
    return within.length > 0 && getComputedStyle(path[0]).cursor === "pointer";
  };
  // Whether something may have changed where this script can't look.
  const maybeElsewhere = (target) => {
    if (window !== window.parent || (target.localName.includes("-") && !target.shadowRoot)) return true;
    const shown = (node) => node.clientWidth >= SEEN_FROM_PX && node.clientHeight >= SEEN_FROM_PX;
    return looked > LOOKED_AT || [...document.querySelectorAll(ELSEWHERE)].some(shown);
  };
  const tellIfQuiet = (click, [afterMs, ...later]) => {
    const timer = setTimeout(() => {
      waiting.delete(timer);
      const target = click.target.deref();
      if (!target || maybeElsewhere(target)) return;
      fc.tell([{ t: click.t, element: click.element, detail: { kind: "click_quiet", after_ms: afterMs, clickable: click.clickable } }]);
      if (later.length) tellIfQuiet(click, later);
      else if (!waiting.size) stopWatching();
    }, click.t + afterMs - performance.now());
    waiting.add(timer);
  };
  // Some menus open when the pointer goes down: what follows a click is what follows that.
  const down = (event) => {
    if (!event.isTrusted) return;
    const path = event.composedPath(), clickable = isClickable(path);
    press = { t: event.timeStamp, clickable };
    pressed = path[0];
    onText = !clickable;
    watch(path);
  };
  // A click without a press is the keyboard's, a label's or a script's.
  const clicked = (event) => {
    const began = press, path = event.composedPath();
    press = null;
    if (!event.isTrusted || !began || followedMs >= began.t || selects() || !isWatched(path)) return;
    watchComponents();
    const click = { t: event.timeStamp, clickable: began.clickable, element: fc.selector(path[0]), target: new WeakRef(path[0]) };
    tellIfQuiet(click, TELL_AFTER_MS);
  };
  const listeners = { pointerdown: down, click: clicked };
  for (const [type, listener] of Object.entries(listeners)) {
    addEventListener(type, listener, { capture: true, passive: true });
    fc.onStop(() => removeEventListener(type, listener, { capture: true }));
  }
  fc.onStop(followed);
}
