// The script's frame: runs in an isolated world, where the page sees neither it nor its binding.
(parts, config) => {
  const tell = globalThis[config.binding];
  if (!tell) return;
  if (globalThis.firstcause) {
    globalThis.firstcause.arm();
    return;
  }
  const STABLE = /^[A-Za-z_][\w-]{0,40}$/;
  const nameOf = (node) => {
    const tag = node.localName;
    const quoted = (attribute) => {
      const value = node.getAttribute(attribute);
      return value && value.length <= 60 ? `${tag}[${attribute}=${JSON.stringify(value)}]` : "";
    };
    if (node.id && STABLE.test(node.id)) return `#${node.id}`;
    const classes = [...node.classList].filter((name) => STABLE.test(name)).slice(0, 2);
    return quoted("data-testid") || quoted("name") || quoted("aria-label") || [tag, ...classes].join(".");
  };
  const KEPT_SPANS = 20;
  let stops = [];
  let armed = null;
  const fc = {
    config,
    occupied: [],
    // From now until the function that it gives is called it is we who keep the main thread busy.
    occupy() {
      const span = [performance.now(), Infinity];
      fc.occupied.push(span);
      fc.occupied.splice(0, fc.occupied.length - KEPT_SPANS);
      return () => { span[1] = performance.now(); };
    },
    isOurs({ startTime, duration }) {
      return fc.occupied.some(([from, until]) => startTime < until && startTime + duration > from);
    },
    tell(entries) {
      if (entries.length) tell(JSON.stringify({ origin: performance.timeOrigin, entries }));
    },
    // Short and good enough to find the element again by eye: its own name, below the nearest ancestor with an id.
    selector(node) {
      try {
        const element = node && node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
        if (!element || element.nodeType !== Node.ELEMENT_NODE) return "";
        const own = nameOf(element);
        if (own.startsWith("#") || own.includes("[")) return own;
        const anchor = element.parentElement && element.parentElement.closest("[id]");
        return anchor && STABLE.test(anchor.id) ? `#${anchor.id} ${own}` : own;
      } catch {
        return "";
      }
    },
    onStop(stop) {
      stops.push(stop);
    },
    arm() {
      // A same-origin window.open keeps the window and replaces the document: what watched the old one must start anew.
      if (armed === document) return;
      fc.stop();
      armed = document;
      for (const part of parts) {
        try {
          part(fc);
        } catch {
          // one part that this page can't have must not cost the others
        }
      }
    },
    stop() {
      for (const stop of stops.splice(0)) stop();
      armed = null;
    },
  };
  globalThis.firstcause = fc;
  fc.arm();
}
