// Which elements may be the one that was: those of its kind, with what tells them from each other and from all others.
(fc) => {
  const MAX_LOOKED_AT = 8000, MAX_CANDIDATES = 40, MAX_SIGNED = 600, MAX_MEASURED = 1000;
  const { ACTS, NAMED, clean, textOf, roleOf, nameOf, testOf, isStable, isSilent, isHidden, fingerprint } = fc.elements;

  // Each child's number among those of its tag, and how many there are; a list may be long.
  const numbersIn = (parent) => {
    const counts = new Map(), numbers = new Map();
    for (const child of parent.children) {
      const number = (counts.get(child.localName) || 0) + 1;
      counts.set(child.localName, number);
      numbers.set(child, number);
    }
    return { counts, numbers };
  };
  const cssOf = (element, read) => {
    const steps = [];
    for (let up = element; up && up !== document.documentElement; up = up.parentElement) {
      if (up.id && isStable(up.id) && document.querySelectorAll(`#${up.id}`).length === 1) { steps.unshift(`#${up.id}`); break; }
      if (!read.has(up.parentElement)) read.set(up.parentElement, numbersIn(up.parentElement));
      const { counts, numbers } = read.get(up.parentElement);
      steps.unshift(counts.get(up.localName) > 1 ? `${up.localName}:nth-of-type(${numbers.get(up)})` : up.localName);
    }
    return steps.join(" > ");
  };
  // Every element with its role, and those of them that are leaves with a text: read once, for all selectors that break together.
  const census = () => {
    const all = document.body ? [...document.body.querySelectorAll("*")].slice(0, MAX_LOOKED_AT) : [];
    const names = new Map();
    const nameIn = (element, role) => {
      if (!names.has(element)) names.set(element, nameOf(element, role));
      return names.get(element);
    };
    return { kinds: all.map((element) => ({ element, role: roleOf(element) })), whole: all.length < MAX_LOOKED_AT, nameIn };
  };
  const leafText = (element) => element.childElementCount || isSilent(element) || element.textContent.length > 200 ? "" : textOf(element, 41);

  // Which features of each no other element has: what only one has, finds it.
  const tellUnique = (told, page) => {
    const counts = new Map(), key = (...parts) => parts.join("|");
    const features = ({ element, said }) => ({
      test: said.test && key("test", said.test),
      role: page.whole && NAMED.has(said.role) && !said.hidden && said.name && said.name.length < 80 && key("role", said.role, said.name),
      placeholder: said.placeholder && said.placeholder.length < 60 && key("placeholder", said.tag, said.placeholder),
      alt: said.alt && said.alt.length < 60 && key("alt", said.tag, said.alt),
      text: page.whole && !element.childElementCount && said.text && said.text.length < 40 && key("text", said.text),
      title: said.title && said.title.length < 60 && key("title", said.tag, said.title),
      id: said.id && isStable(said.id) && key("id", said.id),
      field: said.field && key("name", said.tag, said.field),
      only: page.whole && NAMED.has(said.role) && !said.hidden && key("only", said.role),
      tag: page.whole && key("tag", said.tag),
    });
    const wanted = told.map(features), texts = new Set(told.map(({ said }) => said.text)), roles = new Set(told.map(({ said }) => said.role));
    for (const each of wanted) for (const feature of Object.values(each)) if (feature) counts.set(feature, 0);
    const add = (feature) => { if (counts.has(feature)) counts.set(feature, counts.get(feature) + 1); };
    for (const { element, role } of page.kinds) {
      const tag = element.localName, text = texts.size ? leafText(element) : "";
      add(key("tag", tag));
      add(key("test", testOf(element)));
      if (element.id) add(key("id", element.id));
      for (const name of ["name", "placeholder", "alt", "title"]) { const value = element.getAttribute(name); if (value) add(key(name, tag, clean(value))); }
      if (text) add(key("text", text));
      if (!NAMED.has(role) || !roles.has(role)) continue;
      const named = key("role", role, page.nameIn(element, role)), only = key("only", role);
      if ((counts.has(named) || counts.has(only)) && !isHidden(element)) { add(named); add(only); }
    }
    told.forEach(({ said }, at) => { said.unique = Object.keys(wanted[at]).filter((name) => wanted[at][name] && counts.get(wanted[at][name]) === 1); });
  };

  // Which elements like it there are, by what they are called: what was there beside the element is not what became of it.
  const KINDS = "a[href],button,input,select,textarea,summary,[role]";
  const signatureOf = (element) => {
    const role = roleOf(element);
    return [role, element.id, testOf(element), element.getAttribute("name"), element.getAttribute("href"), nameOf(element, role) || textOf(element, 40)].join("|");
  };
  const signatures = (tag) => {
    const counts = new Map();
    for (const element of [...document.querySelectorAll(`${tag},${KINDS}`)].slice(0, MAX_SIGNED)) {
      const signature = signatureOf(element);
      counts.set(signature, (counts.get(signature) || 0) + 1);
    }
    return counts;
  };
  // Read once a check for each kind of element, however many are watched.
  const others = (element, read) => {
    const tag = element.localName, own = signatureOf(element);
    if (!read.has(tag)) read.set(tag, signatures(tag));
    const counts = read.get(tag);
    return (signature) => (counts.get(signature) || 0) - (signature === own ? 1 : 0);
  };

  // Those that may be the element that was, the likeliest by a rough look first: more than can be told are left out.
  const candidates = (was, others, page, found, survivor) => {
    const acts = ACTS.has(was.role), [x = 0, y = 0] = was.rect || [], now = signatures(was.tag), numbered = new Map(), same = (a, b) => a && a === b ? 1 : 0;
    const isAlike = ({ element, role }) => element.localName === was.tag || (was.role && role === was.role)
      || (acts && (ACTS.has(role) || element.hasAttribute("onclick") || element.hasAttribute("tabindex")))
      || (was.text && leafText(element) === was.text) || found.includes(element) || element === survivor;
    const liked = page.kinds.filter(isAlike).map(({ element, role }) => {
      const isSure = element === survivor || found.includes(element);
      const like = (isSure ? 100 : 0) + 4 * same(page.nameIn(element, role), was.name) + 4 * same(testOf(element), was.test) + 4 * same(element.id, was.id) + 3 * same(element.getAttribute("name"), was.field)
        + same(role, was.role) + same(element.localName, was.tag) + (was.classes || []).filter((each) => element.classList.contains(each)).length / 2;
      return { element, like };
    }).sort((a, b) => b.like - a.like).slice(0, MAX_MEASURED);
    const rough = liked.map(({ element, like }) => {
      const box = element.getBoundingClientRect();
      const near = 2 / (1 + (Math.abs(box.x + scrollX - x) + Math.abs(box.y + scrollY - y)) / 100);
      return { element, like: like + near - (box.width || box.height ? 0 : 3) };
    });
    const told = rough.sort((a, b) => b.like - a.like).slice(0, MAX_CANDIDATES).map(({ element }) => {
      const said = fingerprint(element), signature = signatureOf(element), before = others(signature);
      if (isHidden(element)) said.hidden = true;
      if (element === survivor) said.same = true;
      if (found.includes(element)) said.found = true;
      if (before > 0 && (now.get(signature) || 0) <= before) said.known = true;
      said.css = cssOf(element, numbered);
      return { element, said };
    });
    tellUnique(told, page);
    return told.map(({ said }) => said);
  };
  Object.assign(fc.elements, { others, census, candidates });
}
