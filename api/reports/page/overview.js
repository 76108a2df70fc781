// The whole recording in one strip: how much went wrong when, and where in it the shown failure lies.
const BUCKETS = 180;
const STRIP = { width: 1800, height: 44 };
const span = { from: Infinity, to: -Infinity };
for (const { t } of events) {
  span.from = Math.min(span.from, t);
  span.to = Math.max(span.to, t);
}

function along(t) {
  return span.to > span.from ? (t - span.from) / (span.to - span.from) : 0.5;
}

function overview() {
  if (events.length === 0) return;
  const buckets = Array.from({ length: BUCKETS }, () => new Map());
  for (const event of events) {
    const bucket = buckets[Math.min(BUCKETS - 1, Math.floor(along(event.t) * BUCKETS))];
    bucket.set(severityOf(event), (bucket.get(severityOf(event)) ?? 0) + 1);
  }
  const most = Math.max(...buckets.map((bucket) => total(bucket)));
  const strip = drawn("svg", { viewBox: `0 0 ${STRIP.width} ${STRIP.height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    drawn("rect", { id: "lit", y: 0, height: STRIP.height, width: 0 }),
    buckets.flatMap((bucket, number) => bars(bucket, number, most)));
  const ends = element("p", { class: "ends" },
    element("span", {}, `${new Date(span.from).toISOString().slice(0, 10)} ${clock(span.from)} UTC`),
    element("span", {}, `${counted(events.length, "event")} in ${lasting(span.to - span.from)}`),
    element("span", {}, clock(span.to)));
  byId("overview").append(strip, ends);
}

function total(bucket) {
  return [...bucket.values()].reduce((sum, count) => sum + count, 0);
}

// The worst at the bottom, where they line up; by roots, so that a single failure beside a flood is still seen.
function bars(bucket, number, most) {
  const whole = (Math.sqrt(total(bucket)) / Math.sqrt(most)) * (STRIP.height - 4);
  let bottom = STRIP.height;
  return SEVERITIES.filter((severity) => bucket.has(severity)).map((severity) => {
    const height = (bucket.get(severity) / total(bucket)) * whole;
    bottom -= height;
    const width = STRIP.width / BUCKETS;
    return drawn("rect", { class: severity, x: number * width + 1, y: bottom, width: width - 2, height });
  });
}

function lightUp(places) {
  const times = places.map((place) => along(events[place].t));
  const lit = byId("lit");
  if (!lit) return;
  const from = times.length ? Math.min(...times) * STRIP.width - 6 : 0;
  lit.setAttribute("x", from);
  lit.setAttribute("width", times.length ? Math.max(...times) * STRIP.width + 6 - from : 0);
}
