// Follows a chain of locators step by step as Playwright does, and says which elements could be meant where it finds none or several.
(fc) => {
  const MAX_CANDIDATES = 40, MAX_LOOKED_AT = 8000, MAX_TEXT_CHARS = 10_000;
  const { ACTS, NAMED, clean, roleOf, nameOf, testOf, isHidden, isSilent, fingerprint, candidates, census } = fc.elements;
  const WRITTEN = new Set(["textbox", "searchbox", "spinbutton", "combobox"]);
  const KINDS = {
    write: (element, role) => WRITTEN.has(role) || element.isContentEditable || (element.localName === "input" && !["checkbox", "radio", "submit", "button", "reset", "image", "hidden"].includes(element.type)),
    check: (element, role) => ["checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"].includes(role),
    select: (element) => element.localName === "select",
    upload: (element) => element.localName === "input" && element.type === "file",
    click: (element, role) => ACTS.has(role) || NAMED.has(role) || element.localName === "label" || element.localName === "summary" || element.hasAttribute("onclick") || element.hasAttribute("tabindex"),
  };

  const roots = (root) => [root, ...(root.shadowRoot ? roots(root.shadowRoot) : []),
    ...[...root.querySelectorAll("*")].slice(0, MAX_LOOKED_AT).filter((element) => element.shadowRoot).flatMap((element) => roots(element.shadowRoot))];
  const all = (root, css) => [...new Set(roots(root).flatMap((each) => [...each.querySelectorAll(css)]))];
  const matcher = ({ text, exact, flags }) => {
    if (flags !== undefined) { const regex = new RegExp(text, flags); return (said) => regex.test(said || ""); }
    const wanted = clean(text);
    return exact ? (said) => clean(said || "") === wanted : (said) => clean(said || "").toLowerCase().includes(wanted.toLowerCase());
  };
  const isButton = (element) => element.localName === "input" && ["submit", "button", "reset"].includes(element.type);
  const texts = new Map();
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeType !== Node.ELEMENT_NODE || isSilent(node)) return "";
    if (!texts.has(node)) texts.set(node, [...node.childNodes, ...(node.shadowRoot ? node.shadowRoot.childNodes : [])].map(read).join("").slice(0, MAX_TEXT_CHARS));
    return texts.get(node);
  };
  const textOf = (element) => isButton(element) ? element.value : read(element);
  const labelsOf = (element) => {
    const named = (element.getAttribute("aria-labelledby") || "").split(/\s+/).map((id) => id && document.getElementById(id)).filter(Boolean);
    return [...named.map(textOf), element.getAttribute("aria-label"), ...[...(element.labels || [])].map(textOf)].filter((each) => each && clean(each));
  };
  const by = (attribute) => (root, wanted) => { const fits = matcher(wanted); return all(root, `[${attribute}]`).filter((element) => fits(element.getAttribute(attribute))); };
  const STATES = {
    checked: (element) => String(element.checked ?? element.getAttribute("aria-checked") === "true"),
    disabled: (element) => String(element.matches(":disabled") || element.getAttribute("aria-disabled") === "true"),
    expanded: (element) => String(element.getAttribute("aria-expanded") === "true" || Boolean(element.open)),
    selected: (element) => String(Boolean(element.selected) || element.getAttribute("aria-selected") === "true"),
    pressed: (element) => String(element.getAttribute("aria-pressed") === "true"),
    level: (element) => element.getAttribute("aria-level") || (/^h[1-6]$/.test(element.localName) ? element.localName[1] : ""),
  };
  const engines = {
    css: (root, { text }) => all(root, text),
    // The smallest elements that hold the text.
    text: (root, wanted) => {
      const fits = matcher(wanted), holding = new Set(all(root, "*").filter((element) => fits(textOf(element))));
      return [...holding].filter((element) => ![element, element.shadowRoot].some((each) => each && [...each.children].some((child) => holding.has(child))));
    },
    label: (root, wanted) => { const fits = matcher(wanted); return all(root, "*").filter((element) => labelsOf(element).some(fits)); },
    placeholder: by("placeholder"), alt: by("alt"), title: by("title"),
    testid: (root, wanted) => by("data-testid")(root, { exact: true, ...wanted }),
    role: (root, { text, name, states = {} }) => {
      const fits = name && matcher(name);
      return all(root, "*").filter((element) => {
        const role = roleOf(element);
        return (role === text || (text === "image" && role === "img")) && !isHidden(element) && !element.closest("[aria-hidden=true]") && (!fits || fits(nameOf(element, role)))
          && Object.entries(states).every(([state, value]) => STATES[state] && STATES[state](element) === value);
      });
    },
  };
  const picks = {
    nth: (found, { place }) => found.slice(place).slice(0, 1),
    first: (found) => found.slice(0, 1),
    last: (found) => found.slice(-1),
    has_text: (found, wanted) => { const fits = matcher(wanted); return found.filter((element) => fits(textOf(element))); },
    has_not_text: (found, wanted) => { const fits = matcher(wanted); return found.filter((element) => !fits(textOf(element))); },
    visible: (found) => found.filter((element) => !isHidden(element)),
  };
  // All that is found after each step.
  const follow = (steps) => {
    let found = [document];
    return steps.map((step) => found = picks[step.engine] ? picks[step.engine](found, step)
      : [...new Set(found.flatMap((root) => engines[step.engine](root, step)))]);
  };
  const spelled = (text) => (text || "").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  const within = (scope, element) => scope.some((root) => root === document || (root !== element && root.contains(element)));
  // Those of the kind that is needed, and those that have a word in common with what was asked for; the likeliest first.
  const likely = (scope, words, kind) => {
    const fits = KINDS[kind] || (() => false);
    const rough = [...document.body.querySelectorAll("*")].slice(0, MAX_LOOKED_AT).filter((element) => within(scope, element)).map((element) => {
      const role = roleOf(element), own = element.childElementCount ? "" : textOf(element).slice(0, 200);
      const said = spelled([element.id, testOf(element), element.getAttribute("name"), element.getAttribute("class"), element.getAttribute("placeholder"), nameOf(element, role), own].join(" "));
      return { element, like: words.filter((word) => said.includes(word)).length + (fits(element, role) ? 0.5 : 0) - (isHidden(element) ? 0.2 : 0) };
    });
    return rough.filter(({ like }) => like > 0.2).sort((a, b) => b.like - a.like).slice(0, MAX_CANDIDATES).map(({ element }) => element);
  };
  const told = (elements, was) => elements.length || was ? candidates(was || {}, () => 0, census(), elements, null).filter((said) => was || said.found) : [];
  return {
    // How many elements each step finds, and those that could be meant below what the first `scopeSteps` find.
    look(steps, scopeSteps, words, kind, was) {
      try {
        const found = follow(steps), last = found.at(-1) || [], scope = scopeSteps ? found[scopeSteps - 1] : [document];
        const meant = words.length || kind ? likely(scope, words, kind) : [];
        return { counts: found.map((each) => each.length), found: last.slice(0, 1).map(fingerprint), candidates: told(meant, was) };
      } catch (error) {
        return { counts: [], reason: String(error.message || error) };
      }
    },
    // For whoever asks Chrome itself what is in there.
    scope: (steps) => steps.length ? follow(steps).at(-1)[0] || null : document,
  };
}
