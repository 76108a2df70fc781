// How a page changes from one release to the next: a copy of it is changed, then shown in its place. `globalThis.truth` is the element
// that was meant; it is known to this world of the page only, and to the benchmark.
({
  original: document.body.cloneNode(true),

  // Shows the page as it was made.
  reset() {
    document.body.replaceChildren(...this.original.cloneNode(true).childNodes);
  },

  // The elements that somebody might watch, each with the selectors that find nothing else.
  targets() {
    const only = (selector) => document.querySelectorAll(selector).length === 1;
    const quoted = (value) => JSON.stringify(value);
    const all = [...document.body.querySelectorAll("*")];
    const wanted = "a,button,input,select,textarea,h1,h2,[role=button],.total,.fee,.name,.tile-value,.byline,.what,.page-info,figcaption";
    const path = (element) => {
      const steps = [];
      for (let up = element; up !== document.body; up = up.parentElement) {
        const alike = [...up.parentElement.children].filter((each) => each.localName === up.localName);
        steps.unshift(alike.length > 1 ? `${up.localName}:nth-of-type(${alike.indexOf(up) + 1})` : up.localName);
      }
      return `body > ${steps.join(" > ")}`;
    };
    return all.map((element, index) => {
      if (!element.matches(wanted)) return null;
      const tag = element.localName, ways = { path: path(element) };
      for (const name of ["data-testid", "data-test", "data-qa", "data-cy"]) if (element.getAttribute(name)) ways.test = `[${name}=${quoted(element.getAttribute(name))}]`;
      if (element.id) ways.id = `#${element.id}`;
      if (element.getAttribute("name")) ways.field = `${tag}[name=${quoted(element.getAttribute("name"))}]`;
      if (element.classList.length) ways.class = `.${[...element.classList].join(".")}`;
      if (element.getAttribute("href")) ways.href = `a[href=${quoted(element.getAttribute("href"))}]`;
      if (element.getAttribute("aria-label")) ways.label = `[aria-label=${quoted(element.getAttribute("aria-label"))}]`;
      const kinds = Object.entries(ways).filter(([, selector]) => only(selector));
      return kinds.length ? { index, kinds } : null;
    }).filter(Boolean);
  },

  // Gives whether the selector is broken by it.
  change({ index, selector, steps }) {
    const next = document.body.cloneNode(true);
    let truth = [...next.querySelectorAll("*")][index];
    const containerOf = (element) => element.closest("tr,li,.product-card,.comment,.tile,.field,.panel,fieldset,section,article,form") || element;
    const attribute = (name, value) => { if (truth.hasAttribute(name)) truth.setAttribute(name, value); };
    const testId = () => ["data-testid", "data-test", "data-qa", "data-cy"].find((name) => truth.hasAttribute(name));
    const textNode = (element) => {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) => node.data.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP);
      return walker.nextNode();
    };
    const labelOf = () => (truth.id && next.querySelector(`label[for=${JSON.stringify(truth.id)}]`)) || truth.closest("label");
    const say = (words) => {
      if (truth.hasAttribute("aria-label")) truth.setAttribute("aria-label", words);
      else if (truth.matches("input,select,textarea")) {
        const node = labelOf() && textNode(labelOf());
        if (node) node.data = ` ${words} `;
        else attribute("placeholder", words);
      } else if (textNode(truth)) textNode(truth).data = words;
    };
    const said = () => truth.getAttribute("aria-label") || (truth.matches("input,select,textarea") ? (labelOf() ? labelOf().textContent.trim() : truth.placeholder || "") : truth.textContent.trim());
    const actions = {
      rename_id: (words) => {
        const label = truth.id && next.querySelector(`label[for=${JSON.stringify(truth.id)}]`);
        if (label) label.setAttribute("for", words.join("-"));
        attribute("id", words.join("-"));
      },
      rename_test: (words) => { if (testId()) truth.setAttribute(testId(), words.join("-")); },
      drop_test: () => { if (testId()) truth.removeAttribute(testId()); },
      rename_field: (words) => attribute("name", words.join("_")),
      rename_class: (words) => attribute("class", words.join(" ")),
      hash_classes: (words) => { for (const each of next.querySelectorAll("[class]")) each.className = [...each.classList].map((name) => `${name[0]}_${words[0]}${name.length * 7919 % 97}`).join(" "); },
      rehref: (words) => attribute("href", `/${words.join("/")}`),
      retext_some: (words) => say(`${said().replace(/\d+/g, (digits) => String(Number(digits) + 1))} ${words[0]}`),
      retext: (words) => say(words.map((word, at) => at ? word : word[0].toUpperCase() + word.slice(1)).join(" ")),
      wrap: (_, times) => {
        for (let i = 0; i < times; i++) { const box = document.createElement("div"); truth.replaceWith(box); box.append(truth); }
      },
      move_end: () => truth.parentElement.append(truth),
      move_far: () => [...next.querySelectorAll("footer,header,.topbar,.statusbar,.toolbar")].filter((each) => !each.contains(truth)).slice(-1)[0]?.append(truth),
      move_container: () => { const box = containerOf(truth); box.parentElement.append(box); },
      insert_before: (words) => {
        const sibling = truth.cloneNode(true);
        for (const name of ["id", "name", "href", "data-testid", "data-test", "data-qa", "data-cy", "aria-label", "class"]) sibling.removeAttribute(name);
        if (textNode(sibling)) textNode(sibling).data = words.join(" ");
        (truth.closest("label") || truth).before(sibling);
      },
      // A second one of the same, as in a bar that stays in sight, or as another row.
      copy_far: (words) => {
        const copy = truth.cloneNode(true);
        if (textNode(copy)) textNode(copy).data += ` ${words[0]}`;
        if (labelOf()) copy.id += "-2"; // a label has one control: the first of that id
        [...next.querySelectorAll("footer,.statusbar,main,.toolbar")].filter((each) => !each.contains(truth))[0]?.append(copy);
      },
      copy_container: (words) => {
        const box = containerOf(truth), copy = box.cloneNode(true), text = textNode(copy);
        if (!selector.startsWith("#") || labelOf()) {
          for (const each of [copy, ...copy.querySelectorAll("[id]")]) if (each.id) each.id += "-2";
          for (const each of copy.querySelectorAll("[for]")) each.setAttribute("for", `${each.getAttribute("for")}-2`);
        }
        if (text) text.data = words.join(" ");
        box.before(copy);
      },
      retag: () => {
        const tags = { button: "a", a: "button", h1: "h2", h2: "h3", p: "div", span: "b" }, tag = tags[truth.localName];
        if (!tag) return;
        const other = document.createElement(tag);
        for (const { name, value } of truth.attributes) if (tag !== "button" || name !== "href") other.setAttribute(name, value);
        if (tag === "a") other.setAttribute("href", "#");
        other.append(...truth.childNodes);
        truth.replaceWith(other);
        truth = other;
      },
      delete: () => { truth.remove(); truth = null; },
      delete_container: () => { containerOf(truth).remove(); truth = null; },
    };
    for (const [name, ...given] of steps) if (truth) actions[name](...given);
    document.body.replaceChildren(...next.childNodes);
    globalThis.truth = truth;
    const found = document.querySelectorAll(selector);
    return found.length !== 1;
  },
})
