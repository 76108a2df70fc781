// What failed, the worst first, then the tests that passed; the filter keeps those that one of their events passes.
function list() {
  const numbers = stories.map((_, number) => number);
  const failedTests = numbers.filter((number) => stories[number].outcome === "failed");
  const otherTests = numbers.filter((number) => stories[number].test && stories[number].outcome !== "failed");
  const failures = numbers.filter((number) => !stories[number].test);
  const groups = [
    group("Failed tests", failedTests),
    group(failedTests.length || otherTests.length ? "Failures beside them" : "Failures", failures),
    group("Other tests", otherTests),
  ];
  byId("list").replaceChildren(
    element("button", { type: "button", class: "entry all", id: "all", onclick: showTable }, element("span", { class: "title" }, "All events"), element("span", { class: "dim" }, events.length.toLocaleString("en"))),
    ...groups.filter(Boolean),
    element("p", { class: "dim empty", id: "nothing", hidden: true }, "The filter lets nothing through."),
    ...(data.unexplained > 0 ? [element("p", { class: "dim empty" }, `${counted(data.unexplained, "more failure")}: see all events.`)] : []),
    ...data.notes.map((note) => element("p", { class: "dim empty" }, note)));
}

function group(title, numbers) {
  if (numbers.length === 0) return null;
  return element("section", {},
    element("h2", {}, title, element("span", { class: "dim" }, ` ${numbers.length}`)),
    element("ol", {}, numbers.map((number) => element("li", { "data-story": number }, entry(number)))));
}

function entry(number) {
  const story = stories[number];
  const first = events[story.first];
  const event = events[story.event];
  const failed = !story.test || story.outcome === "failed";
  const cause = story.first === story.event ? placeOf(first) : story.test ? first.summary : `→ ${event.summary}`;
  return element("button", { type: "button", class: `entry ${failed ? story.severity : "calm"}`, onclick: () => showStory(number) },
    element("span", { class: `dot ${failed ? story.severity : story.outcome}`, "aria-hidden": "true" }),
    element("span", { class: "title" }, story.test ? shortName(story.test) : first.summary),
    failed && cause && element("span", { class: "cause" }, cause),
    element("span", { class: "meta" },
      element("span", {}, failed ? story.severity : story.outcome),
      element("span", {}, failed ? first.kind : lasting(story.duration_ms)),
      first.page && failed && element("span", {}, first.page),
      story.times > 1 && element("b", {}, `×${story.times}`)));
}

function shortName(test) {
  return test.split("::").slice(-2).join(" › ").replace(/^.*\//, "");
}

function filterList() {
  let shown = 0;
  for (const item of document.querySelectorAll("#list [data-story]")) {
    const story = stories[Number(item.dataset.story)];
    const named = story.test && terms.length && terms.every((term) => !term.field && story.test.toLowerCase().includes(term.value));
    item.hidden = !(named || (hidden.has(story.severity) ? false : story.nodes.some(passes)));
    shown += item.hidden ? 0 : 1;
  }
  for (const section of document.querySelectorAll("#list section")) section.hidden = !section.querySelector("li:not([hidden])");
  byId("nothing").hidden = shown > 0 || stories.length === 0;
}

function markInList(number) {
  for (const button of document.querySelectorAll("#list .entry")) {
    const own = button.id === "all" ? -1 : Number(button.parentElement.dataset.story);
    if (own === number) {
      button.setAttribute("aria-current", "true");
      button.scrollIntoView({ block: "nearest" });
    } else button.removeAttribute("aria-current");
  }
}

function move(by) {
  const entries = [...document.querySelectorAll("#list .entry")].filter((button) => button.offsetParent !== null);
  const at = entries.findIndex((button) => button.getAttribute("aria-current"));
  const next = entries[Math.max(0, Math.min(entries.length - 1, at + by))];
  next?.click();
  next?.focus({ preventScroll: true });
}
