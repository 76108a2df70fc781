// Writes an element as HTML, an element a line, without what was typed: values of inputs, texts of fields and editors.
(limitChars) => {
  const MAX_DEPTH = 400, MAX_CODE_CHARS = 200, MAX_ATTRIBUTE_CHARS = 500;
  const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);
  const BUTTONS = new Set(["button", "submit", "reset"]);
  const CODE = new Set(["script", "style"]);
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const isTyped = (element) =>
    element.localName === "textarea" || element.matches("[contenteditable]:not([contenteditable=false])");
  const isKept = (element, name) =>
    name !== "nonce" && !(name === "value" && element.localName === "input" && !BUTTONS.has(element.type)) &&
    !(name === "content" && element.localName === "meta" && /token|csrf|xsrf|secret|key/i.test(element.name));
  const cut = (text, limit) => text.length > limit ? `${text.slice(0, limit)}…` : text;
  const lines = [];
  let chars = 0;
  const put = (depth, text) => {
    chars += text.length + depth + 1;
    lines.push(" ".repeat(depth) + text);
  };
  const text = (node, depth) => {
    const code = CODE.has(node.parentNode.localName);
    const tidy = node.data.replace(/\s+/g, " ").trim();
    if (tidy) put(depth, code ? cut(tidy, MAX_CODE_CHARS) : escaped(tidy));
  };
  const element = (node, depth) => {
    const attributes = [...node.attributes].filter(({ name }) => isKept(node, name));
    const told = attributes.map(({ name, value }) => value ? ` ${name}="${cut(value, MAX_ATTRIBUTE_CHARS).replace(/"/g, "&quot;")}"` : ` ${name}`);
    const name = node.localName;
    put(depth, `<${name}${told.join("")}>${isTyped(node) ? "…" : ""}`);
    if (VOID.has(name)) return;
    if (!isTyped(node)) {
      if (node.shadowRoot) {
        put(depth + 1, "<template shadowrootmode=open>");
        children(node.shadowRoot, depth + 2);
        put(depth + 1, "</template>");
      }
      children(node, depth + 1);
    }
    put(depth, `</${name}>`);
  };
  const children = (node, depth) => {
    if (depth > MAX_DEPTH) return put(depth, "…");
    for (const child of node.childNodes) {
      if (chars > limitChars) return;
      if (child.nodeType === Node.TEXT_NODE) text(child, depth);
      else if (child.nodeType === Node.ELEMENT_NODE) element(child, depth);
    }
  };
  return (node) => {
    element(node, 0);
    return { html: lines.join("\n").slice(0, limitChars), cut: chars > limitChars };
  };
}
