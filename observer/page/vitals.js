// What the page felt like: long frames with the scripts to blame, long tasks, interactions, layout shifts, paints, load timing.
(fc) => {
  const MAX_SCRIPTS = 5;
  const ms = (value) => Math.round((value || 0) * 10) / 10;
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
    longtask: (e) => ({ kind: "long_task", duration_ms: ms(e.duration) }),
    event: (e) => e.interactionId ? {
      kind: "interaction", name: e.name, interaction: e.interactionId, duration_ms: ms(e.duration),
      input_delay_ms: ms(e.processingStart - e.startTime), processing_ms: ms(e.processingEnd - e.processingStart),
    } : null,
    "layout-shift": (e) => e.hadRecentInput ? null : {
      kind: "layout_shift", value: Math.round(e.value * 1e4) / 1e4,
      nodes: (e.sources || []).slice(0, 3).map((source) => fc.selector(source.node)).filter(Boolean),
    },
    paint: (e) => e.name === "first-contentful-paint" ? { kind: "first_paint" } : null,
    "largest-contentful-paint": (e) => ({ kind: "largest_paint", size: e.size, url: (e.url || "").slice(0, 500) }),
    navigation: (e) => e.loadEventEnd && location.href !== "about:blank" ? {
      kind: "load_timing", ttfb_ms: ms(e.responseStart - e.activationStart), dom_ms: ms(e.domContentLoadedEventEnd), load_ms: ms(e.loadEventEnd),
      status: e.responseStatus || 0, type: e.type,
    } : null,
    resource: (e) => ({
      kind: "resource", url: e.name.slice(0, 2000), initiator: e.initiatorType, status: e.responseStatus || 0,
      duration_ms: ms(e.duration), transfer_bytes: e.transferSize,
    }),
  };
  const elements = { event: "target", "largest-contentful-paint": "element" };
  const watch = (type, options) => {
    const observer = new PerformanceObserver((list) => {
      const told = [];
      for (const entry of list.getEntries()) {
        const detail = shapes[type](entry);
        if (detail) told.push({ t: entry.startTime, element: elements[type] ? fc.selector(entry[elements[type]]) : "", detail });
      }
      fc.tell(told);
    });
    observer.observe({ type, buffered: true, ...options });
    fc.onStop(() => observer.disconnect());
  };
  for (const type of PerformanceObserver.supportedEntryTypes) {
    if (shapes[type] && (type !== "resource" || fc.config.resources)) watch(type, type === "event" ? { durationThreshold: 40 } : {});
  }
}
