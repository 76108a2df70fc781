// Has axe look at the document and says the least of what it found. Both are in the isolated world alone, and go with `fc.stop`.
(fc) => {
  const NODES_TOLD = 3, MAX_HELP_CHARS = 90;
  const LEFT_OUT = ["experimental", "deprecated", "wcag2aaa"];
  const IDLE_WITHIN_MS = 2000, TRIES = 3;
  const { axe } = globalThis;
  delete globalThis.axe;
  // It listens for the axe of other frames, and the page may have one of its own in them.
  axe.frameMessenger({ open() {}, post() {} });
  const told = new Map();
  let last = Promise.resolve();
  const options = (rules) => ({
    runOnly: { type: "rule", values: rules },
    resultTypes: ["violations"],
    // To make up selectors of its own for thousands of nodes takes it seconds: three get one here.
    elementRef: true, selectors: false,
    // It would load style sheets and media once more.
    preload: false,
    iframes: false, performanceTimer: false,
  });
  const idle = () => new Promise((resolve) => {
    requestIdleCallback((left) => resolve(!left.didTimeout), { timeout: IDLE_WITHIN_MS });
  });
  // What nobody asked for waits until the page has nothing to do, and is left alone as soon as somebody uses the page.
  const goesOn = () => Boolean(fc.resting && fc.resting.goesOn());
  const isWelcome = async () => {
    for (let tries = 0; tries < TRIES && goesOn(); tries++) if (await idle()) return goesOn();
    return false;
  };
  const isNew = (rule, element) => {
    const before = told.get(rule) || told.set(rule, new WeakSet()).get(rule);
    return !before.has(element) && before.add(element);
  };
  const said = (violation, unasked) => {
    const elements = violation.nodes.map((node) => node.element).filter((element) => !unasked || isNew(violation.id, element));
    const { id: rule, impact, help } = violation;
    const nodes = elements.slice(0, NODES_TOLD).map(fc.selector);
    return { rule, impact: impact || "minor", count: elements.length, nodes, help: help.slice(0, MAX_HELP_CHARS) };
  };
  const look = async (rules, unasked) => {
    if (unasked && !goesOn()) return null;
    const done = fc.occupy(), beganMs = performance.now();
    try {
      const { violations } = await axe.run(document, options(rules));
      return violations.map((violation) => said(violation, unasked)).filter(({ count }) => count);
    } finally {
      done();
      if (unasked) fc.resting.took(performance.now() - beganMs);
    }
  };
  fc.axe = {
    rules: axe.getRules().filter(({ tags }) => !tags.some((tag) => LEFT_OUT.includes(tag))).map(({ ruleId }) => ruleId),
    isWelcome,
    // It refuses to look twice at once.
    look: (rules, unasked) => (last = last.catch(() => 0).then(() => look(rules, unasked))),
  };
  fc.onStop(() => { delete fc.axe; });
}
