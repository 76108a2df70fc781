// What all parts of the page stand on: the data, elements that hold texts as texts, times, and what the filter lets through.
const data = JSON.parse(document.getElementById("data").textContent);
const { events, stories } = data;
const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const PROVEN = 0.8;
const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  return dressed(made, attributes, children);
}

function drawn(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function dressed(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (name === "at") Object.assign(made.style, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

function severityOf(event) {
  return SEVERITIES.includes(event.severity) ? event.severity : "info";
}

function dot(event) {
  return element("span", { class: `dot ${severityOf(event)}`, "aria-hidden": "true" });
}

function chip(severity) {
  return element("span", { class: `chip ${severity}` }, severity);
}

function alike(one, other) {
  return one.kind === other.kind && one.fingerprint === other.fingerprint && one.page === other.page;
}

function placeOf(event) {
  const at = event.context?.at;
  return typeof at === "string" && at && !event.summary.includes(at) ? at : "";
}

function clock(ms) {
  const when = new Date(ms);
  const two = (number, digits = 2) => String(number).padStart(digits, "0");
  const seconds = `${two(when.getUTCSeconds())}.${two(when.getUTCMilliseconds(), 3)}`;
  return Number.isNaN(ms) ? "" : `${two(when.getUTCHours())}:${two(when.getUTCMinutes())}:${seconds}`;
}

function lasting(ms) {
  if (ms < 10_000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

function later(event, first) {
  const ms = event.t - first.t;
  return ms < 0 ? clock(event.t) : `+${lasting(ms)}`;
}

function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

// How long it took until it was told, if it says that: a request is drawn from its beginning.
function tookMs(event) {
  const took = event.context?.elapsed_ms ?? event.context?.duration_ms;
  return typeof took === "number" && took > 0 ? took : 0;
}

const effects = new Map();
events.forEach((event, place) => {
  if (event.cause >= 0) effects.set(event.cause, [...(effects.get(event.cause) ?? []), place]);
});

const hidden = new Set();
let terms = [];
const SEARCHED = new Map();

// `kind:http_error page:p1 words`: every term has to be met.
function understood(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean).map((term) => {
    const [, field, value] = /^(kind|page|channel|severity|test|at):(.*)$/.exec(term) ?? [null, "", term];
    return { field, value };
  });
}

function passes(place) {
  const event = events[place];
  return !hidden.has(severityOf(event)) && terms.every((term) => meets(place, event, term));
}

function meets(place, event, { field, value }) {
  if (field === "at" || field === "test") return String(event.context?.[field] ?? "").toLowerCase().includes(value);
  if (field) return String(event[field] ?? "").toLowerCase().includes(value);
  if (!SEARCHED.has(place)) SEARCHED.set(place, JSON.stringify(event).toLowerCase());
  return SEARCHED.get(place).includes(value);
}

function say(text) {
  byId("said").textContent = text;
}
