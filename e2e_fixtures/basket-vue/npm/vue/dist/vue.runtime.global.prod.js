// Stands in for Vue where its package can't be installed: as much of it as this story needs.
(() => {
  const changed = new Set();

  function ref(value) {
    const watchers = [];
    return {
      watchers,
      get value() {
        return value;
      },
      set value(next) {
        if (next === value) return;
        value = next;
        for (const watcher of watchers) later(() => watcher(next));
        for (const draw of changed) later(draw);
      },
    };
  }

  function later(run) {
    Promise.resolve().then(() => {
      try {
        run();
      } catch (error) {
        console.error(error);
      }
    });
  }

  function h(tag, ...rest) {
    const [props, children] = rest.length === 2 ? rest : [{}, rest[0]];
    const element = document.createElement(tag);
    if (props.id) element.id = props.id;
    if (props.onClick) element.addEventListener("click", props.onClick);
    element.append(...[children].flat());
    return element;
  }

  globalThis.Vue = {
    createApp: ({ setup }) => ({
      mount(selector) {
        const render = setup();
        const draw = () => document.querySelector(selector).replaceChildren(render());
        changed.add(draw);
        draw();
      },
    }),
    h,
    ref,
    watch: (source, watcher) => source.watchers.push(watcher),
  };
})();
