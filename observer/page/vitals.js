// What the page felt like: long frames with the scripts to blame, long tasks, interactions, layout shifts, paints, load timing.
(fc) => {
  const MAX_SCRIPTS = 5;
  const FRAME_FOLLOWS_MS = 50;
  const THREAD = new Set(["long-animation-frame", "longtask", "event"]); // what comes of a main thread that is busy
  const ms = (value) => Math.round((value || 0) * 10) / 10;
  // A page in the background paints when it is looked at: how late that is says nothing about the page.
  const shown = (time) => {
    const [navigation] = performance.getEntriesByType("navigation");
    const activated = navigation?.activationStart || 0;
    const hidden = performance.getEntriesByType("visibility-state").some((e) => e.name === "hidden" && activated <= e.startTime && e.startTime < time);
    return hidden ? 0 : ms(Math.max(0, time - activated));
  };
  // Something that only appears has not moved.
  const distance = (from, to) => from.width && from.height ? Math.round(Math.hypot(to.x - from.x, to.y - from.y)) : 0;
  const script = (s) => ({
    invoker: s.invoker, type: s.invokerType, url: s.sourceURL === fc.config.own ? "" : s.sourceURL, function: s.sourceURL === fc.config.own ? "" : s.sourceFunctionName, char: s.sourceCharPosition,
    duration_ms: ms(s.duration), forced_layout_ms: ms(s.forcedStyleAndLayoutDuration), pause_ms: ms(s.pauseDuration),
  });
  const shapes = {
    "long-animation-frame": (e) => ({
      kind: "long_frame", duration_ms: ms(e.duration), blocking_ms: ms(e.blockingDuration),
      render_ms: e.renderStart ? ms(e.startTime + e.duration - e.renderStart) : 0,
      style_ms: e.styleAndLayoutStart ? ms(e.startTime + e.duration - e.styleAndLayoutStart) : 0,
      presentation_ms: e.presentationTime && e.paintTime ? ms(e.presentationTime - e.paintTime) : 0,
      scripts: [...(e.scripts || [])].sort((a, b) => b.duration - a.duration).slice(0, MAX_SCRIPTS).map(script),
    }),
    longtask: (e) => e.name.endsWith("-ancestor") ? null : { kind: "long_task", duration_ms: ms(e.duration) }, // the ancestor tells it
    event: (e) => e.interactionId ? {
      kind: "interaction", name: e.name, interaction: e.interactionId, duration_ms: ms(e.duration),
      input_delay_ms: ms(e.processingStart - e.startTime), processing_ms: ms(e.processingEnd - e.processingStart),
    } : null,
    "layout-shift": (e) => {
      if (e.hadRecentInput) return null;
      const moved = (e.sources || []).slice(0, 3).map((s) => [fc.selector(s.node), distance(s.previousRect, s.currentRect)]).filter(([node]) => node);
      return { kind: "layout_shift", value: Math.round(e.value * 1e4) / 1e4, nodes: moved.map(([node]) => node), moved_px: moved.map(([, px]) => px) };
    },
    paint: (e) => e.name === "first-contentful-paint" ? { kind: "first_paint", after_ms: shown(e.startTime) } : null,
    "largest-contentful-paint": (e) => ({ kind: "largest_paint", size: e.size, url: (e.url || "").slice(0, 500), after_ms: shown(e.startTime) }),
    navigation: (e) => e.loadEventEnd && location.href !== "about:blank" ? {
      kind: "load_timing", ttfb_ms: ms(Math.max(0, e.responseStart - e.activationStart)), dom_ms: ms(e.domContentLoadedEventEnd), load_ms: ms(e.loadEventEnd),
      status: e.responseStatus || 0, type: e.type,
    } : null,
    resource: (e) => ({
      kind: "resource", url: e.name.slice(0, 2000), initiator: e.initiatorType, status: e.responseStatus || 0,
      duration_ms: ms(e.duration), transfer_bytes: e.transferSize,
    }),
  };
  const elements = { event: "target", "largest-contentful-paint": "element" };
  let frames = null;
  const described = (type, entries) => {
    const told = [];
    for (const entry of entries) {
      if (THREAD.has(type) && fc.isOurs(entry)) continue;
      const detail = shapes[type](entry);
      if (detail) told.push({ t: entry.startTime, element: elements[type] ? fc.selector(entry[elements[type]]) : "", detail });
    }
    return told;
  };
  // Press, release and click are one interaction: the one that was worked on longest stands for it.
  const interactions = (entries) => {
    const worst = new Map();
    const worked = (e) => e.processingEnd - e.processingStart;
    for (const entry of entries) {
      const before = worst.get(entry.interactionId);
      if (!before || worked(entry) > worked(before)) worst.set(entry.interactionId, entry);
    }
    return [...worst.values()];
  };
  // Chrome reports an interaction a moment before the long frame that it fell into; the frame is told first, because it explains.
  const held = [];
  const tellHeld = () => {
    if (frames) fc.tell(described("long-animation-frame", frames.takeRecords()));
    fc.tell(held.splice(0));
  };
  const tellBehindFrames = (entries) => {
    const told = described("event", interactions(entries));
    if (told.length && !held.length) setTimeout(tellHeld, FRAME_FOLLOWS_MS);
    held.push(...told);
  };
  addEventListener("pagehide", tellHeld);
  fc.onStop(() => removeEventListener("pagehide", tellHeld));
  const watch = (type, options) => {
    const observer = new PerformanceObserver((list) => {
      const entries = list.getEntries();
      if (type === "event") tellBehindFrames(entries);
      else fc.tell(described(type, entries));
    });
    if (type === "long-animation-frame") frames = observer;
    observer.observe({ type, buffered: true, ...options });
    fc.onStop(() => observer.disconnect());
  };
  for (const type of PerformanceObserver.supportedEntryTypes) {
    if (shapes[type] && (type !== "resource" || fc.config.resources)) watch(type, type === "event" ? { durationThreshold: 40 } : {});
  }
}
