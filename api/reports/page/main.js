// Puts the page together: what is shown first, the filter, the colours, the keys.
const THEMES = ["auto", "dark", "light"];
const THEME_KEY = "firstcause-theme";
let theme = "auto";

function setTheme(wanted) {
  theme = THEMES.includes(wanted) ? wanted : "auto";
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const button = byId("theme");
  button.textContent = { auto: "◐", dark: "●", light: "○" }[theme];
  button.title = `Colours: ${theme} (t)`;
  button.setAttribute("aria-label", `Colours: ${theme}`);
}

function nextTheme() {
  setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // A page that was opened from a file may have no storage.
  }
}

function keptTheme() {
  try {
    return localStorage.getItem(THEME_KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

function refilter() {
  terms = understood(byId("filter").value);
  filterList();
  if (byId("all").getAttribute("aria-current")) fillTable?.();
}

function severities() {
  const counts = new Map();
  for (const event of events) counts.set(severityOf(event), (counts.get(severityOf(event)) ?? 0) + 1);
  byId("severities").replaceChildren(...SEVERITIES.filter((severity) => counts.has(severity)).map((severity) => {
    const button = element("button", { type: "button", class: `toggle ${severity}`, "aria-pressed": "true" }, severity, element("b", {}, counts.get(severity).toLocaleString("en")));
    button.addEventListener("click", () => {
      const shown = hidden.delete(severity) || !hidden.add(severity);
      button.setAttribute("aria-pressed", String(shown));
      refilter();
    });
    return button;
  }));
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  e: showTable,
  t: nextTheme,
  c: copy,
  "?": () => byId("help").showModal(),
  "/": () => byId("filter").focus(),
  "[": () => detailed >= 0 && events[detailed].cause >= 0 && showEvent(events[detailed].cause),
  "]": () => detailed >= 0 && effects.has(detailed) && showEvent(effects.get(detailed)[0]),
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    else if (detailed >= 0) hideEvent();
    return;
  }
  if (typing) return;
  const inList = byId("list").contains(event.target);
  if (inList && event.key === "ArrowDown") move(1);
  else if (inList && event.key === "ArrowUp") move(-1);
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
}

// `#event=…` leads to an event from elsewhere, `#3` to a failure.
function opened() {
  const [, id] = /^#event=(.+)$/.exec(location.hash) ?? [];
  const place = id ? events.findIndex((event) => encodeURIComponent(event.id) === id) : -1;
  if (place >= 0) {
    const number = stories.findIndex((story) => story.nodes.includes(place));
    if (number >= 0) showStory(number, { keepEvent: true });
    else showTable();
    showEvent(place);
  } else if (location.hash === "#events" || stories.length === 0) showTable();
  else {
    const number = /^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : -1;
    showStory(stories[number] ? number : firstShown());
  }
}

function firstShown() {
  const failed = stories.findIndex((story) => story.outcome === "failed");
  if (failed >= 0) return failed;
  const failure = stories.findIndex((story) => !story.test);
  return failure >= 0 ? failure : 0;
}

setTheme(keptTheme());
byId("title").textContent = data.title;
byId("headline").textContent = data.headline;
severities();
overview();
list();
opened();
byId("theme").addEventListener("click", nextTheme);
byId("keys").addEventListener("click", () => byId("help").showModal());
byId("help-close").addEventListener("click", () => byId("help").close());
byId("filter").addEventListener("input", refilter);
document.addEventListener("keydown", pressed);
window.addEventListener("hashchange", opened);
document.documentElement.dataset.ready = "";
