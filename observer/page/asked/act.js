// What acting on an element needs to know: where to click so that it is hit, whether it can be written into, or why not.
(fc) => {
  const WRITTEN = new Set(["text", "search", "email", "url", "tel", "password", "number"]);
  const isWithin = (node, element) => Boolean(node) && (node === element || isWithin(node.parentNode || node.host, element));
  const at = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    for (let inner; (inner = hit?.shadowRoot?.elementFromPoint(x, y)) && inner !== hit;) hit = inner;
    return hit;
  };
  return {
    point(element) {
      if (element.matches(":disabled")) return { why: "is disabled" };
      const box = [...element.getClientRects()].find(({ width, height }) => width && height);
      if (!box) return { why: "takes up no room" };
      const x = box.x + box.width / 2, y = box.y + box.height / 2, hit = at(x, y);
      if (!hit) return { why: "lies outside of the window" };
      if (!isWithin(hit, element) && hit.control !== element) return { why: `is covered by ${fc.selector(hit)}` };
      return { x, y };
    },
    write(element) {
      const isEditor = element.isContentEditable, isField = element.localName === "textarea" || WRITTEN.has(element.localName === "input" && element.type);
      if (!isEditor && !isField) return { why: "is no field that can be written into" };
      if (element.matches(":disabled") || element.readOnly) return { why: "is disabled or can only be read" };
      element.focus();
      if (isEditor) getSelection().selectAllChildren(element);
      else element.select();
      return {};
    },
    focus(element) {
      element.focus();
      return isWithin(element.getRootNode().activeElement, element) ? {} : { why: "takes no keys" };
    },
  };
}
