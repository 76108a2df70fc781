// Whether each watched selector finds its one element, and whether that can be used; and what is known of it when it does not.
(fc) => {
  const CHECK_AFTER_MS = 50, LASTS_MS = 150, REFRESH_MS = 1000, BLOCK_CHECK_MS = 250, BLOCKED_LASTS_MS = 500, MAX_STALES = 3;
  const ATTRIBUTES = ["id", "class", "name", "role", "type", "href", "title", "alt", "placeholder", "aria-label", "aria-labelledby", "aria-disabled", "aria-hidden",
    "data-testid", "data-test-id", "data-test", "data-qa", "data-cy", "disabled", "hidden", "open", "style", "inert"];
  const NAMED_ATTRIBUTE = /\[\s*([\w-]+)/g;
  const FINDS = ["healthy", "blocked", "stale"];
  const watched = new Map();
  let observer = null, checkTimer = 0, blockTimer = 0, checkAtMs = 0, blockedAtMs = -Infinity;

  const told = (watch, state, t, more) => {
    const detail = { kind: "selector", selector: watch.selector, state, count: watch.count, before: watch.before, ...more };
    watch.before = watch.count;
    watch.state = state;
    fc.tell([{ t, detail }]);
  };
  const elementOf = (watch) => watch.element && watch.element.deref();
  const wordsOf = (said) => (said.name || said.text || "").toLowerCase().match(/[^\W\d]{3,}/g) || [];
  // Drawn anew it is the same, also with another number in it.
  const isAnother = (was, said) => {
    if (["tag", "role", "type"].some((key) => was[key] !== said[key])) return true;
    const before = wordsOf(was), now = wordsOf(said);
    return before.length > 0 && now.length > 0 && !before.some((word) => now.includes(word));
  };
  const viewOf = () => location.pathname + location.hash;
  const remember = (watch, element, page) => {
    const now = performance.now();
    const left = watch.rememberedMs + REFRESH_MS - now;
    if (elementOf(watch) === element && left > 0) return soon(left);
    watch.element = new WeakRef(element);
    watch.was = fc.elements.fingerprint(element);
    watch.others = fc.elements.others(element, page.signed);
    watch.rememberedMs = now;
    watch.view = viewOf();
  };
  // The part of the page that went with the element, if it went.
  const removedWith = (element) => {
    if (!element || element.isConnected) return "";
    let root = element;
    while (root.parentElement) root = root.parentElement;
    return fc.selector(root);
  };
  const broken = (watch, state, found, page) => {
    if (!watch.was) return {};
    const element = elementOf(watch), survivor = element && element.isConnected ? element : null;
    return { moved: watch.view !== viewOf(), was: watch.was, removed: removedWith(element), candidates: fc.elements.candidates(watch.was, watch.others, page.census, found, survivor) };
  };
  const stateOf = (watch, found) => {
    if (found.length !== 1) return found.length ? "ambiguous" : "missing";
    const element = elementOf(watch);
    if (!watch.was || element === found[0] || (element && element.isConnected)) return "healthy";
    // What is drawn anew all the time is meant to be, and another view has another element.
    if (watch.stales >= MAX_STALES || watch.view !== viewOf()) return "healthy";
    return isAnother(watch.was, fc.elements.fingerprint(found[0])) ? "stale" : "healthy";
  };
  const look = (watch, page) => {
    let found;
    try {
      found = [...document.querySelectorAll(watch.selector)];
    } catch {
      if (watch.state !== "invalid") told(watch, "invalid", performance.now(), {});
      return;
    }
    const now = performance.now(), state = stateOf(watch, found), first = !watch.state;
    watch.count = found.length;
    if (state === "healthy") {
      watch.since = 0;
      remember(watch, found[0], page);
      if (!FINDS.includes(watch.state) || watch.state === "stale") told(watch, "healthy", now, {});
      return;
    }
    // Nothing at first is how every page begins.
    if (first && state === "missing") return told(watch, state, now, {});
    if (watch.state === state) return;
    if (watch.pending !== state || !watch.since) [watch.pending, watch.since] = [state, now];
    const left = watch.since + LASTS_MS - now;
    if (left > 0) return soon(left);
    told(watch, state, watch.since, broken(watch, state, found, page));
    watch.since = 0;
    if (state !== "stale") return;
    watch.stales++;
    remember(watch, found[0], page); // the one to compare with from now on
  };
  const check = () => {
    checkTimer = 0;
    let census = null;
    // What is read of the page once for all of them, if any needs it.
    const page = { signed: new Map(), get census() { return census || (census = fc.elements.census()); } };
    for (const watch of watched.values()) look(watch, page);
  };
  // An earlier time replaces a later one.
  const soon = (wait_ms) => {
    const atMs = performance.now() + wait_ms;
    if (checkTimer && checkAtMs <= atMs) return;
    clearTimeout(checkTimer);
    checkAtMs = atMs;
    checkTimer = setTimeout(check, wait_ms);
  };

  // --- blocked: it is there, and can't be used
  const lookBlocked = (watch, now) => {
    const element = elementOf(watch);
    if (watch.count !== 1 || !element || !element.isConnected) { watch.blockedSince = 0; return; }
    const isShown = element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
    const block = isShown ? fc.blockOf(element) : null; // hidden is how pages put things away
    if (!block) {
      watch.blockedSince = 0;
      watch.free ||= isShown;
      if (watch.state === "blocked") told(watch, "healthy", now, {});
      return;
    }
    // What was so from the start is how the page is meant to begin; only a cover may be none that was meant.
    if (watch.state === "blocked" || (!watch.free && block.reason !== "covered")) return;
    if (!watch.blockedSince) watch.blockedSince = now;
    const left = watch.blockedSince + BLOCKED_LASTS_MS - now;
    if (left > 0) blockSoon(left);
    else told(watch, "blocked", watch.blockedSince, { ...block, was: watch.was, free: Boolean(watch.free) });
  };
  const checkBlocked = () => {
    blockTimer = 0;
    const now = blockedAtMs = performance.now();
    if (document.visibilityState === "visible") for (const watch of watched.values()) lookBlocked(watch, now);
  };
  const blockSoon = (wait_ms) => {
    if (!blockTimer) blockTimer = setTimeout(checkBlocked, Math.max(wait_ms, blockedAtMs + BLOCK_CHECK_MS - performance.now(), 0));
  };

  // --- what is watched
  const changed = () => { soon(CHECK_AFTER_MS); blockSoon(BLOCK_CHECK_MS); };
  const shifted = () => blockSoon(BLOCK_CHECK_MS);
  const SHIFTS = ["scroll", "resize", "transitionend", "animationend"];
  const stop = () => {
    if (observer) observer.disconnect();
    observer = null;
    clearTimeout(checkTimer);
    clearTimeout(blockTimer);
    checkTimer = blockTimer = 0;
    for (const type of SHIFTS) removeEventListener(type, shifted, { capture: true });
    document.removeEventListener("DOMContentLoaded", check);
  };
  const start = () => {
    stop();
    if (!watched.size) return;
    const named = [...watched.keys()].flatMap((selector) => [...selector.matchAll(NAMED_ATTRIBUTE)].map((match) => match[1]));
    observer = new MutationObserver(changed);
    observer.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: [...new Set([...ATTRIBUTES, ...named])] });
    for (const type of SHIFTS) addEventListener(type, shifted, { capture: true, passive: true });
    document.addEventListener("DOMContentLoaded", check, { once: true });
    if (document.readyState !== "loading") check();
    shifted();
  };
  const set = (selectors) => {
    for (const selector of watched.keys()) if (!selectors.includes(selector)) watched.delete(selector);
    for (const selector of selectors) if (!watched.has(selector)) watched.set(selector, { selector, state: "", count: -1, before: -1, rememberedMs: 0, stales: 0 });
    start();
  };
  // Exactly these from now on, also in a document that replaces this one.
  fc.watch = (selectors) => {
    fc.config.selectors = [...selectors];
    set(fc.config.selectors);
    fc.tell([{ t: performance.now(), detail: { kind: "selectors_watched", selectors: fc.config.selectors } }]);
  };
  set(fc.config.selectors);
  fc.onStop(stop);
}
