// One failure, or one test: what its first cause was, the way from it in sentences, over time and as a graph.
let current = null;

function showStory(number, { keepEvent = false } = {}) {
  const story = stories[number];
  current = story;
  if (!keepEvent && detailed >= 0) hideEvent();
  byId("shown").replaceChildren(verdict(story), ...(story.steps.length ? [steps(story), timeline(story), graph(story)] : []));
  byId("shown").scrollTop = 0;
  lightUp(story.nodes);
  markInList(number);
  if (!keepEvent) history.replaceState(null, "", `#${number}`);
}

function verdict(story) {
  const first = events[story.first];
  const event = events[story.event];
  const failed = story.outcome === undefined || story.outcome === "failed";
  const title = failed ? first.summary : story.test;
  return element("section", { class: `verdict ${failed ? story.severity : "calm"}` },
    element("p", { class: "eyebrow" },
      failed ? chip(severityOf(first)) : element("span", { class: `chip ${story.outcome}` }, story.outcome),
      failed ? (story.first === story.event ? "The failure" : "The first cause") : "Test",
      element("code", {}, failed ? first.kind : lasting(story.duration_ms)),
      story.times > 1 && element("b", {}, `×${story.times}`)),
    element("h2", {}, title),
    failed && element("p", { class: "where" }, placeOf(first) && element("code", {}, placeOf(first)), first.page && element("span", {}, `on ${first.page}`), element("span", {}, `at ${clock(first.t)}`)),
    failed && story.test && element("p", { class: "ledto" }, element("b", {}, "It failed the test "), element("code", {}, story.test)),
    failed && story.first !== story.event && element("p", { class: "ledto" }, element("b", {}, "What was seen: "), event.summary, element("span", { class: "dim" }, ` ${later(event, first)}`)),
    next(story));
}

function next(story) {
  const looks = story.look_at ?? [];
  if (!story.text) return null;
  return element("div", { class: "next" },
    looks.length > 0 && element("div", {}, element("b", {}, "Look at"), element("ul", {}, looks.map((place) => element("li", {}, place)))),
    element("button", { type: "button", class: "plain", id: "copy", onclick: copy }, "Copy the explanation"));
}

async function copy() {
  if (!current?.text) return;
  try {
    await navigator.clipboard.writeText(current.text);
    say("The explanation is copied.");
    byId("copy").textContent = "Copied";
  } catch {
    byId("copy").replaceWith(element("textarea", { class: "text", rows: 8, readonly: true, "aria-label": "The explanation" }, current.text));
  }
}

const MAX_ENDS = 15;

// What repeats itself is one line, and a long way is told by its two ends; a button tells the rest of either.
function steps(story) {
  const first = events[story.steps[0]];
  const make = (place, number) => () => step(place, number, first, story);
  const told = runsOf(story.steps).flatMap(({ from, places }) => {
    const [one, ...again] = places.map((place, more) => make(place, from + more));
    if (again.length < 2) return [one, ...again];
    const until = later(events[places.at(-1)], first);
    return [one, () => more(again, `the same ${again.length} times more, until ${until}`)];
  });
  const middle = told.length > 2 * MAX_ENDS + 1 ? told.splice(MAX_ENDS, told.length - 2 * MAX_ENDS, () => more(middle, `… ${middle.length} more`)) : [];
  return element("section", { class: "steps" },
    element("h3", {}, story.text ? "Step by step" : "What happened"),
    element("ol", {}, told.map((made) => made())),
    notes(story));
}

function runsOf(places) {
  const runs = [];
  places.forEach((place, from) => {
    const last = runs.at(-1);
    if (last && alike(events[last.places[0]], events[place])) last.places.push(place);
    else runs.push({ from, places: [place] });
  });
  return runs;
}

function more(makers, text) {
  const item = element("li", {}, element("button", { type: "button", class: "plain rest", onclick: () => item.replaceWith(...makers.map((make) => make())) }, text));
  return item;
}

function step(place, number, first, story) {
  const event = events[place];
  const likely = number > 0 && event.confidence < PROVEN;
  return element("li", {},
    number > 0 && story.text && element("p", { class: likely ? "because likely" : "because" },
      `because ${event.because}`,
      element("span", { class: "sure" }, element("span", { class: "meter", "aria-hidden": "true" }, element("i", { at: { width: `${event.confidence * 100}%` } })), event.confidence.toFixed(2))),
    element("button", { type: "button", class: "step", "data-event": place, onclick: () => showEvent(place) },
      dot(event),
      element("time", {}, number ? later(event, first) : clock(event.t)),
      element("span", { class: "body" }, element("span", {}, event.summary, event.count > 1 && element("b", {}, ` ×${event.count}`)),
        (placeOf(event) || event.page !== first.page) && element("code", {}, [placeOf(event), event.page !== first.page ? `[${event.page}]` : ""].filter(Boolean).join(" ")))));
}

function notes(story) {
  const unproven = (story.not_proven ?? []).map((what) => element("li", {}, `Not proven: ${what}`));
  const maybe = (story.maybe ?? []).map((cause) => element("li", {}, `Maybe caused by: ${cause.summary} (${cause.confidence.toFixed(2)}, because ${cause.because})`));
  const beside = story.beside > 0 && element("li", {}, `${counted(story.beside, "more failure")} ${story.beside === 1 ? "has" : "have"} only the page in common with this`);
  return element("ul", { class: "notes" }, unproven, maybe, beside);
}
