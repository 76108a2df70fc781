// A failure as a tree: from each cause to its effects, left to right; what repeats itself is one box with a count.
const BOX = { width: 204, height: 62, across: 46, down: 16 };
const MAX_BOXES = 80;

function graph(story) {
  const { roots, left } = tree(story);
  let bottom = 0;
  const boxes = [];
  const lay = (node, depth) => {
    boxes.push(node);
    node.x = depth * (BOX.width + BOX.across);
    node.effects.forEach((effect) => lay(effect, depth + 1));
    if (node.effects.length) node.y = (node.effects[0].y + node.effects.at(-1).y) / 2;
    else {
      node.y = bottom;
      bottom += BOX.height + BOX.down;
    }
  };
  roots.forEach((root) => lay(root, 0));
  const width = Math.max(...boxes.map((box) => box.x)) + BOX.width + 4;
  const height = bottom - BOX.down + 4;
  return element("figure", { class: "graph" },
    element("figcaption", {}, element("h3", {}, "Causes and effects"),
      element("span", { class: "legend dim" }, element("i", { class: "line" }), "proven", element("i", { class: "line likely" }), "likely")),
    element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Causes and effects" },
      element("div", { class: "canvas", at: { width: `${width}px`, height: `${height}px` } },
        drawn("svg", { width, height, "aria-hidden": "true" }, boxes.map((box) => box.cause && edge(box)), boxes.map((box) => box.cause && sureness(box))),
        boxes.map((box) => card(box, story)))),
    left > 0 && element("p", { class: "dim" }, `${left} more are not drawn.`));
}

function tree(story) {
  const nodes = new Map(story.nodes.slice(0, MAX_BOXES * 4).map((place) => [place, { place, times: 1, effects: [], cause: null }]));
  const roots = [];
  for (const node of nodes.values()) {
    node.cause = nodes.get(events[node.place].cause) ?? null;
    (node.cause?.effects ?? roots).push(node);
  }
  const onPath = new Set(story.steps);
  roots.forEach((root) => fold(root, onPath));
  let drawnBoxes = 0;
  const keep = (list) => list.filter(() => (drawnBoxes += 1) <= MAX_BOXES).map((node) => {
    node.effects = keep(node.effects);
    return node;
  });
  const kept = keep(roots);
  return { roots: kept, left: Math.max(0, story.nodes.length - nodes.size) + Math.max(0, drawnBoxes - MAX_BOXES) + (story.left_out ?? 0) };
}

// What leads to the same again is one box, and so are leaves that are alike; the way to the failure itself stays.
function fold(node, onPath) {
  const again = () => node.effects.find((effect) => alike(events[effect.place], events[node.place]));
  for (let same = again(); same; same = again()) {
    node.times += same.times;
    node.effects = [...node.effects.filter((effect) => effect !== same), ...same.effects];
    same.effects.forEach((effect) => { effect.cause = node; });
  }
  node.effects.sort((one, other) => onPath.has(other.place) - onPath.has(one.place) || one.place - other.place);
  const leaves = [];
  node.effects = node.effects.filter((effect) => {
    fold(effect, onPath);
    if (effect.effects.length) return true;
    const same = leaves.find((leaf) => alike(events[leaf.place], events[effect.place]));
    if (same) same.times += effect.times;
    else leaves.push(effect);
    return !same;
  });
}

function edge({ x, y, cause, place }) {
  const [x1, y1] = [cause.x + BOX.width, cause.y + BOX.height / 2];
  const [x2, y2] = [x, y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  const { confidence } = events[place];
  return drawn("path", { class: confidence < PROVEN ? "likely" : "", d: `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` });
}

function sureness({ x, y, place }) {
  return drawn("text", { x: x - 8, y: y + BOX.height / 2 - 6, "text-anchor": "end" }, events[place].confidence.toFixed(2));
}

function card({ x, y, place, times }, story) {
  const event = events[place];
  const marks = ["card", severityOf(event), story.steps.includes(place) ? "path" : "", place === story.first ? "first" : ""];
  return element("button", { type: "button", class: marks.join(" "), "data-event": place, title: event.summary, at: { left: `${x}px`, top: `${y}px`, width: `${BOX.width}px`, height: `${BOX.height}px` }, onclick: () => showEvent(place) },
    element("span", { class: "kind" }, event.kind, times > 1 && element("b", {}, ` ×${times}`), place === story.first && element("em", {}, "first")),
    element("span", { class: "said" }, event.summary));
}
