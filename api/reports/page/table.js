// All events, in pieces: the next piece is made when its end comes into sight.
const PIECE = 150;

function showTable() {
  current = null;
  if (detailed >= 0) hideEvent();
  const body = element("tbody");
  const found = element("p", { class: "dim" });
  const end = element("button", { type: "button", class: "plain more" }, "More");
  const table = element("table", {},
    element("thead", {}, element("tr", {}, ["time", "page", "severity", "kind", "what", "cause"].map((name) => element("th", { scope: "col" }, name)))),
    body);
  byId("shown").replaceChildren(element("section", { class: "table" }, element("h2", {}, "All events"), found, table, end));
  byId("shown").scrollTop = 0;
  lightUp([]);
  markInList(-1);
  history.replaceState(null, "", "#events");
  let places = [];
  const grow = () => {
    const shown = body.childElementCount;
    body.append(...places.slice(shown, shown + PIECE).map(tableRow));
    end.hidden = body.childElementCount >= places.length;
  };
  fillTable = () => {
    places = events.map((_, place) => place).filter(passes);
    found.textContent = places.length === events.length ? counted(events.length, "event") : `${places.length.toLocaleString("en")} of ${counted(events.length, "event")}`;
    body.replaceChildren();
    grow();
  };
  end.addEventListener("click", grow);
  new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && !end.hidden && grow(), { rootMargin: "400px" }).observe(end);
  fillTable();
}

let fillTable = null;

function tableRow(place) {
  const event = events[place];
  return element("tr", { "data-event": place },
    element("td", {}, element("time", {}, clock(event.t))),
    element("td", {}, event.page ?? ""),
    element("td", {}, chip(severityOf(event))),
    element("td", {}, element("code", {}, event.kind)),
    element("td", {}, element("button", { type: "button", class: "link", "data-event": place, onclick: () => showEvent(place) }, event.summary, event.count > 1 && element("b", {}, ` ×${event.count}`)),
      placeOf(event) && element("code", { class: "place" }, placeOf(event))),
    element("td", {}, event.cause >= 0 && element("button", { type: "button", class: "link", title: events[event.cause].summary, onclick: () => showEvent(event.cause) }, `← ${events[event.cause].kind}`)));
}
