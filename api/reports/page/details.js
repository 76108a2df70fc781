// One event, whole: its fields, its cause and what it led to.
let detailed = -1;

function showEvent(place) {
  detailed = place;
  const event = events[place];
  const panel = byId("details");
  panel.replaceChildren(
    element("div", { class: "bar" },
      chip(severityOf(event)), element("strong", {}, event.kind),
      element("button", { type: "button", class: "icon close", "aria-label": "Close this event", onclick: hideEvent }, "✕")),
    element("p", { class: "summary" }, event.summary),
    relatives("Caused by", event.cause >= 0 ? [event.cause] : [], event),
    relatives("Led to", effects.get(place) ?? []),
    fieldsOf(event),
  );
  panel.hidden = false;
  panel.scrollTop = 0;
  for (const marked of document.querySelectorAll("[data-event]")) marked.classList.toggle("chosen", Number(marked.dataset.event) === place);
  history.replaceState(null, "", `#event=${encodeURIComponent(event.id)}`);
}

function hideEvent() {
  const button = [...document.querySelectorAll(`main [data-event="${detailed}"]`)].find((marked) => marked.tagName === "BUTTON");
  detailed = -1;
  byId("details").hidden = true;
  for (const marked of document.querySelectorAll(".chosen")) marked.classList.remove("chosen");
  (button ?? byId("shown")).focus({ preventScroll: true });
}

const MAX_RELATIVES = 12;

function relatives(title, places, effect) {
  if (places.length === 0) return null;
  const more = places.length - MAX_RELATIVES;
  return element("section", {},
    element("h3", {}, title),
    element("ul", { class: "relatives" }, places.slice(0, MAX_RELATIVES).map((place) => element("li", {},
      element("button", { type: "button", class: "relative", onclick: () => showEvent(place) },
        dot(events[place]), element("span", {}, events[place].summary)))),
    more > 0 && element("li", { class: "dim" }, `… and ${counted(more, "more")}`.replace("mores", "more"))),
    effect && element("p", { class: "because" }, `because ${effect.because} (${effect.confidence.toFixed(2)})`));
}

function fieldsOf(event) {
  const { context = {}, t, cause, because, confidence, summary, ...plain } = event;
  const rows = [["time", `${new Date(t).toISOString()}`], ...Object.entries(plain), ...Object.entries(context)];
  return element("section", {},
    element("h3", {}, "Fields"),
    element("dl", { class: "fields" }, rows.map(([name, value]) => element("div", {},
      element("dt", {}, name),
      element("dd", {}, typeof value === "string" ? value : JSON.stringify(value))))));
}
