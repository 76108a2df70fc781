// What the user did, with a short selector of the element; never what was typed.
(fc) => {
  const NAMED_KEY = /^[A-Z][A-Za-z0-9]+$/; // Enter, Escape, ArrowDown: keys with a name, not characters
  const told = (type, event, key) => {
    if (!event.isTrusted && type !== "submit") return;
    const target = event.composedPath()[0] || event.target;
    fc.tell([{ t: event.timeStamp, element: fc.selector(target), detail: { kind: "action", type, key: key || "" } }]);
  };
  const listeners = {
    click: (event) => told("click", event),
    change: (event) => told("input", event),
    submit: (event) => told("submit", event),
    keydown: (event) => { if (!event.repeat && NAMED_KEY.test(event.key)) told("key", event, event.key); },
  };
  for (const [type, listener] of Object.entries(listeners)) {
    addEventListener(type, listener, { capture: true, passive: true });
    fc.onStop(() => removeEventListener(type, listener, { capture: true }));
  }
}
