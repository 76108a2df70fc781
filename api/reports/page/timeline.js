// A failure over time: a row an event, a bar where something took a while, an arrow from each cause to its effect.
const ROW_PX = 30;
const MAX_ROWS = 60;
const MAX_TICKS = 5;

function timeline(story) {
  const rows = rowsOf(story);
  const scale = scaleOf(rows);
  const rowOf = new Map(rows.map((place, row) => [place, row]));
  const onPath = new Set(story.steps);
  const height = rows.length * ROW_PX;
  return element("figure", { class: "timeline" },
    element("figcaption", {}, element("h3", {}, "Timeline"),
      element("span", { class: "dim" }, "Long waits are drawn short; the times are exact.")),
    element("div", { class: "plot" },
      element("div", { class: "ticks", "aria-hidden": "true" }, ticks(rows, scale)),
      element("div", { class: "rows" },
        drawn("svg", { class: "links", viewBox: `0 0 1000 ${height}`, preserveAspectRatio: "none", at: { height: `${height}px` }, "aria-hidden": "true" },
          rows.map((place) => link(place, rowOf, scale))),
        rows.map((place) => row(place, rows[0], scale, onPath.has(place))))),
    story.nodes.length > rows.length && element("p", { class: "dim" }, `${counted(story.nodes.length - rows.length, "event")} more are not drawn.`));
}

// By time. Of more than there is room for, both ends of the way are there, then what came first.
function rowsOf(story) {
  const ends = [...story.steps.slice(-MAX_ROWS / 3), ...story.steps.slice(0, MAX_ROWS / 3)];
  const inTime = (one, other) => events[one].t - events[other].t || one - other;
  return [...new Set([...ends, ...[...story.nodes].sort(inTime)])].slice(0, MAX_ROWS).sort(inTime);
}

// By order, each wait by its logarithm: 2 ms between a request and its error are seen beside 10 s of quiet.
function scaleOf(rows) {
  const times = [...new Set(rows.flatMap((place) => [events[place].t - tookMs(events[place]), events[place].t]))].sort((a, b) => a - b);
  const places = new Map();
  let sum = 0;
  times.forEach((t, number) => {
    sum += number ? 0.6 + Math.log2(1 + t - times[number - 1]) : 0;
    places.set(t, sum);
  });
  return (t) => (sum > 0 ? 2 + (places.get(t) / sum) * 83 : 4);
}

function ticks(rows, scale) {
  const first = events[rows[0]];
  const shown = [];
  for (const place of rows) {
    const x = scale(events[place].t);
    if (shown.every((other) => Math.abs(other.x - x) > 100 / MAX_TICKS)) shown.push({ x, text: place === rows[0] ? clock(first.t) : later(events[place], first) });
  }
  return shown.map(({ x, text }) => element("span", { at: { left: `${x}%` } }, text));
}

function link(place, rowOf, scale) {
  const event = events[place];
  const from = rowOf.get(event.cause);
  if (from === undefined) return null;
  const [x1, y1] = [scale(events[event.cause].t) * 10, (from + 0.5) * ROW_PX];
  const [x2, y2] = [scale(event.t - tookMs(event)) * 10, (rowOf.get(place) + 0.5) * ROW_PX];
  return drawn("path", {
    d: `M${x1} ${y1} C${x1} ${(y1 + y2) / 2} ${x1} ${y2} ${x2} ${y2}`,
    class: event.confidence < PROVEN ? "likely" : "",
    "vector-effect": "non-scaling-stroke",
  });
}

function row(place, first, scale, onPath) {
  const event = events[place];
  const [from, to] = [scale(event.t - tookMs(event)), scale(event.t)];
  return element("button", { type: "button", class: onPath ? "row path" : "row", "data-event": place, title: event.summary, onclick: () => showEvent(place) },
    element("span", { class: "what" }, dot(event), element("span", { class: "text" }, event.summary)),
    element("span", { class: "lane" },
      to > from && element("span", { class: `span ${severityOf(event)}`, at: { left: `${from}%`, width: `${to - from}%` } }),
      element("span", { class: `mark ${severityOf(event)}`, at: { left: `${to}%` } }),
      element("span", { class: "when", at: { left: `${to}%` } }, place === first ? "" : later(event, events[first]))));
}
