// What the user did, with a short selector of the element, and when the task that handled it was over; never what was typed.
(fc) => {
  const NAMED_KEY = /^[A-Z][A-Za-z0-9]+$/; // Enter, Escape, ArrowDown: keys with a name, not characters
  const TYPING_PAUSE_MS = 1000;
  let typedIn = null; // weak: what was typed in may be long gone
  let typedLast = null; // the same, whatever came since
  let typedMs = 0;
  let ending = false;
  // A task of high priority comes right after the one that dispatches the event.
  const endSoon = () => {
    if (ending) return;
    ending = true;
    scheduler.postTask(() => {
      ending = false;
      fc.tell([{ t: performance.now(), detail: { kind: "action_ended" } }]);
    }, { priority: "user-blocking" });
  };
  const told = (type, event, more) => {
    if (!event.isTrusted && type !== "submit") return;
    const target = event.composedPath()[0] || event.target;
    typedIn = null;
    fc.tell([{ t: event.timeStamp, element: fc.selector(target), detail: { kind: "action", type, ...more } }]);
    endSoon();
  };
  // Typing is told with its first letter, and again after a pause or after something else.
  const typed = (event) => {
    if (!event.isTrusted) return;
    const target = event.composedPath()[0] || event.target;
    if (!typedIn || typedIn.deref() !== target || event.timeStamp - typedMs > TYPING_PAUSE_MS) told("input", event);
    typedIn = typedLast = new WeakRef(target);
    typedMs = event.timeStamp;
  };
  const changed = (event) => { // comes when the user leaves what was typed in, and that was told
    if (typedLast && typedLast.deref() === (event.composedPath()[0] || event.target)) typedLast = null;
    else typed(event);
  };
  const listeners = {
    click: (event) => told("click", event, { x: event.clientX, y: event.clientY }),
    input: typed,
    change: changed,
    submit: (event) => told("submit", event),
    keydown: (event) => { if (!event.repeat && NAMED_KEY.test(event.key)) told("key", event, { key: event.key }); },
  };
  for (const [type, listener] of Object.entries(listeners)) {
    addEventListener(type, listener, { capture: true, passive: true });
    fc.onStop(() => removeEventListener(type, listener, { capture: true }));
  }
}
