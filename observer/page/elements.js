// What can be said of an element so that it is known again: its role, its name, its fingerprint; never what was typed.
(fc) => {
  const TEST_IDS = ["data-testid", "data-test-id", "data-test", "data-qa", "data-cy"];
  const ROLES = {
    button: "button", select: "combobox", textarea: "textbox", h1: "heading", h2: "heading", h3: "heading", h4: "heading", h5: "heading",
    h6: "heading", img: "img", nav: "navigation", main: "main", ul: "list", ol: "list", li: "listitem", table: "table", tr: "row", td: "cell",
    th: "columnheader", article: "article", aside: "complementary", dialog: "dialog", option: "option", p: "paragraph", output: "status",
    progress: "progressbar", fieldset: "group", details: "group", form: "form",
  };
  const INPUTS = {
    checkbox: "checkbox", radio: "radio", submit: "button", button: "button", reset: "button", image: "button", search: "searchbox",
    range: "slider", number: "spinbutton", hidden: "", password: "", file: "", color: "", date: "", time: "", month: "", week: "", "datetime-local": "",
  };
  const ACTS = new Set(["button", "link", "textbox", "searchbox", "spinbutton", "slider", "combobox", "listbox", "checkbox", "radio", "switch", "tab", "menuitem"]);
  // What a name is worth asking for by role; the others have none, or a long one.
  const NAMED = new Set([...ACTS, "option", "heading", "img", "dialog", "cell", "columnheader"]);
  const SAYS_ITS_TEXT = new Set(["button", "link", "heading", "tab", "menuitem", "option", "cell", "columnheader", "switch", "checkbox", "radio"]);
  const BUTTONS = new Set(["submit", "button", "reset"]);
  const SILENT = new Set(["script", "style", "template", "textarea", "select", "noscript"]);
  const INLINE = new Set(["a", "abbr", "b", "bdi", "code", "em", "i", "kbd", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "time", "u", "label"]);
  const CONTAINER = "li,tr,article,fieldset,form,section,dialog,nav,header,footer,aside,[role=row],[role=listitem],[role=dialog],[class*=card],[class*=item],[class*=row],[class*=panel]";
  const STABLE = /^[A-Za-z][\w-]{0,40}$/;
  const MADE = /\d{3}|^(css|sc|jss|ember|react|mui)-?\d?|[_-](?=\w*\d)(?=\w*[A-Za-z])\w{5,}$|^(?=\w*\d\w*[a-z])(?=\w*[a-z])\w{6,}$/; // by a tool, anew each time

  const LABELLED = new Set(["input", "select", "textarea", "progress", "output"]); // asked of a button it is as dear, and rarely any use
  const labels = document.getElementsByTagName("label");

  const clean = (text) => text.replace(/\s+/g, " ").trim();
  const cut = (text, limit) => clean(text || "").slice(0, limit);
  const isStable = (name) => STABLE.test(name) && !MADE.test(name);
  const isEdited = (element) => { const on = element.getAttribute("contenteditable"); return on !== null && on !== "false"; };

  const textOf = (element, limit, without = null) => {
    if (!element.childElementCount) return SILENT.has(element.localName) || isEdited(element) ? "" : cut(element.textContent.slice(0, 2000), limit);
    let text = "";
    const walk = (node) => {
      if (text.length > limit * 2 || node === without) return;
      if (node.nodeType === Node.TEXT_NODE) { text += node.data.slice(0, 400); return; }
      if (node.nodeType !== Node.ELEMENT_NODE || SILENT.has(node.localName) || isEdited(node) || node.hidden || node.getAttribute("aria-hidden") === "true") return;
      const label = node === element ? "" : node.getAttribute("aria-label") || (node.localName === "img" ? node.getAttribute("alt") : "");
      const gap = INLINE.has(node.localName) ? "" : " ";
      text += gap;
      if (label) text += label;
      else for (const child of node.childNodes) walk(child);
      text += gap;
    };
    walk(element);
    return cut(text, limit);
  };
  const roleOf = (element) => {
    const said = element.getAttribute("role");
    if (said) return said.trim().split(/\s+/)[0];
    const tag = element.localName;
    if (tag === "a") return element.hasAttribute("href") ? "link" : "";
    if (tag === "input") return INPUTS[element.type] ?? "textbox";
    if (tag === "select" && (element.multiple || element.size > 1)) return "listbox";
    return ROLES[tag] || "";
  };
  const nameOf = (element, role) => {
    const ids = element.getAttribute("aria-labelledby");
    if (ids) {
      const named = clean(ids.split(/\s+/).map((id) => document.getElementById(id)).filter(Boolean).map((each) => textOf(each, 80)).join(" "));
      if (named) return named.slice(0, 80);
    }
    const label = cut(element.getAttribute("aria-label"), 80);
    if (label) return label;
    if (LABELLED.has(element.localName) && labels.length && element.labels && element.labels.length) return cut([...element.labels].map((each) => textOf(each, 80)).join(" "), 80);
    const own = element.localName === "input" ? (BUTTONS.has(element.type) ? element.getAttribute("value") : "") : SAYS_ITS_TEXT.has(role) ? textOf(element, 80) : "";
    return cut(element.getAttribute("alt") || own || element.getAttribute("title") || element.getAttribute("placeholder"), 80);
  };
  const testOf = (element) => {
    for (const name of TEST_IDS) { const value = element.getAttribute(name); if (value && value.length <= 80) return `${name}=${value}`; }
    return "";
  };
  const pathOf = (element) => {
    const path = [];
    for (let up = element.parentElement; up && up !== document.body && path.length < 7; up = up.parentElement) {
      const mark = up.id && isStable(up.id) ? `#${up.id}` : [...up.classList].filter(isStable).slice(0, 1).map((name) => `.${name}`).join("");
      path.push(up.localName + mark);
    }
    return path;
  };
  // One of several that look alike: a row, a card, an item of a list.
  const isItem = (element) => {
    if (element.localName === "td" || element.localName === "th") return false;
    const alike = (other) => other && other.localName === element.localName && other.className === element.className;
    return alike(element.previousElementSibling) || alike(element.nextElementSibling);
  };
  const aroundOf = (element) => {
    let around = "";
    for (let up = element.parentElement, steps = 0; up && up !== document.body && steps < 6; up = up.parentElement, steps++) {
      const isOne = isItem(up);
      if (!isOne && (around || !up.matches(CONTAINER))) continue;
      const text = textOf(up, 80, element);
      if (text && isOne) return text;
      around = around || text;
    }
    return around;
  };
  const beside = (element) => element ? `${element.localName} ${textOf(element, 20)}`.trim() : "";
  const isHidden = (element) => !element.checkVisibility({ visibilityProperty: true });

  const fingerprint = (element) => {
    const role = roleOf(element), box = element.getBoundingClientRect();
    const said = {
      tag: element.localName, role, name: nameOf(element, role), test: testOf(element), id: cut(element.id, 60),
      field: cut(element.getAttribute("name"), 60), type: element.localName === "input" || element.hasAttribute("type") ? element.type : "",
      href: cut((element.getAttribute("href") || "").split(/[?#]/)[0], 80), placeholder: cut(element.getAttribute("placeholder"), 60),
      alt: cut(element.getAttribute("alt"), 60), title: cut(element.getAttribute("title"), 60), text: textOf(element, 40),
      classes: [...element.classList].filter(isStable).slice(0, 6), path: pathOf(element),
      rect: [box.x + scrollX, box.y + scrollY, box.width, box.height].map(Math.round),
      around: aroundOf(element), before: beside(element.previousElementSibling), after: beside(element.nextElementSibling),
    };
    for (const key in said) if (!said[key] || said[key].length === 0) delete said[key];
    return said;
  };

  fc.elements = { ACTS, NAMED, clean, textOf, roleOf, nameOf, testOf, isStable, isSilent: (element) => SILENT.has(element.localName), isHidden, fingerprint };
}
