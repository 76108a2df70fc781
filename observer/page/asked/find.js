// Finds the elements that a selector means, in open shadow roots too, and says of the first ones what a person would see.
(fc) => {
  const DESCRIBED = 3, MAX_TEXT_CHARS = 40;
  const SILENT = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "TITLE"]);
  const tidy = (text) => (text || "").replace(/\s+/g, " ").trim();
  const fits = (text, wanted, exact) => exact ? tidy(text) === tidy(wanted) : tidy(text).toLowerCase().includes(tidy(wanted).toLowerCase());
  const roots = (root) => {
    const found = [root];
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) found.push(...roots(element.shadowRoot));
    return found;
  };
  const all = (css) => roots(document).flatMap((root) => [...root.querySelectorAll(css)]);
  const isButton = (element) => element.localName === "input" && ["submit", "button", "reset"].includes(element.type);
  const textOf = (element) => {
    if (isButton(element)) return element.value;
    if (SILENT.has(element.tagName)) return "";
    const parts = [...element.childNodes].map((node) => node.nodeType === Node.ELEMENT_NODE ? textOf(node) : node.nodeType === Node.TEXT_NODE ? node.data : "");
    return parts.join("");
  };
  const holds = (element, wanted, exact) => fits(isButton(element) ? element.value : element.textContent, wanted, false) && fits(textOf(element), wanted, exact);
  const labelsOf = (element) => {
    const named = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    const texts = named.map((id) => element.getRootNode().getElementById(id)?.textContent);
    return [texts.join(" "), element.getAttribute("aria-label"), ...[...(element.labels || [])].map((label) => label.textContent)];
  };
  const engines = {
    css: (wanted) => all(wanted),
    // The smallest elements that hold the text.
    text: (wanted, exact) => {
      const holding = all("*").filter((element) => holds(element, wanted, exact));
      const outer = new Set(holding.map((element) => element.parentElement));
      return holding.filter((element) => !outer.has(element));
    },
    label: (wanted, exact) => all("input, select, textarea, button, meter, output, progress, [contenteditable], [role]").filter(
      (element) => labelsOf(element).some((label) => tidy(label) && fits(label, wanted, exact))),
    placeholder: (wanted, exact) => all("[placeholder]").filter((element) => fits(element.getAttribute("placeholder"), wanted, exact)),
    testid: (wanted) => all("[data-testid]").filter((element) => element.getAttribute("data-testid") === wanted),
  };
  const cut = (text) => text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS - 1)}…` : text;
  const nameOf = (element) =>
    tidy([...labelsOf(element), element.getAttribute("alt"), textOf(element), element.getAttribute("placeholder"), element.title].find(tidy));
  const kindOf = (element) => element.getAttribute("role") || (element.localName === "input" ? `${element.type} input` : element.localName === "a" ? "link" : element.localName);
  // What was typed is never among them.
  const describe = (element, role = kindOf(element), named = nameOf(element)) => {
    const name = cut(tidy(named));
    const states = {
      hidden: !element.checkVisibility({ visibilityProperty: true }),
      disabled: element.matches(":disabled"),
      "in a closed shadow root": element.getRootNode().mode === "closed", // which no selector of a driver reaches
    };
    const words = [name ? `${role} ${JSON.stringify(name)}` : role, ...Object.keys(states).filter((state) => states[state])].join(", ");
    return { selector: fc.selector(element), words };
  };
  return {
    describe,
    first: (engine, wanted, exact) => engines[engine](wanted, exact)[0],
    find(engine, wanted, exact) {
      let found;
      try {
        found = engines[engine](wanted, exact);
      } catch (error) {
        return { count: -1, elements: [], reason: error.message };
      }
      return { count: found.length, elements: found.slice(0, DESCRIBED).map((element) => describe(element)) };
    },
  };
}
