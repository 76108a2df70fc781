// Patches what error collectors, zones and polyfills patch, in their ways: stands in for them where there is no npm.
(() => {
  const seen = { calls: 0, errors: [] };
  globalThis.twin = seen;
  const wrap = (owner, name, make) => { const native = owner[name]; if (native) owner[name] = make(native); };
  const counted = (native) => function (...args) { seen.calls++; return native.apply(this, args); };
  const calledBack = (native) => function (callback, ...args) {
    seen.calls++;
    return native.call(this, typeof callback === "function" ? function () { return callback.apply(this, arguments); } : callback, ...args);
  };
  for (const name of ["setTimeout", "setInterval", "requestAnimationFrame"]) wrap(globalThis, name, calledBack);
  for (const name of ["open", "send"]) wrap(XMLHttpRequest.prototype, name, counted);
  wrap(EventTarget.prototype, "addEventListener", (native) => function (type, listener, options) {
    const called = typeof listener === "function" ? (listener.twin ||= function () { return listener.apply(this, arguments); }) : listener;
    return native.call(this, type, called, options);
  });
  wrap(EventTarget.prototype, "removeEventListener", (native) => function (type, listener, options) { return native.call(this, type, listener?.twin || listener, options); });
  wrap(globalThis, "fetch", (native) => (...args) => native(...args).then((answer) => { seen.calls++; return answer; }, (error) => { seen.errors.push(error.message); throw error; }));
  for (const level of ["error", "warn"]) wrap(console, level, (native) => (...args) => { seen.errors.push(args.join()); native.apply(console, args); });
  const then = Promise.prototype.then;
  Promise.prototype.then = function (kept, broken) { return then.call(this, typeof kept === "function" ? (value) => kept(value) : kept, broken); };
  const text = Function.prototype.toString;
  Function.prototype.toString = function () { return text.call(this); };
  const Native = globalThis.WebSocket;
  globalThis.WebSocket = class extends Native {};
})();
