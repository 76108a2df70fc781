// Which task does what: keeps the context of the running task and tells it just before a request, a failure or a navigation.
// Runs in the page's own world before its first script, so nothing here may be seen, and no mistake here may reach the page.
(config) => {
  "use strict";
  const FLUSH_AFTER_MS = 100, MAX_URL_CHARS = 2000, MAX_REMOVED = 20, MAX_LOOKED_AT = 400, MAX_QUEUED = 1000, MAX_ACTIONS = 200, MAX_PORTS = 10,
    MAX_FAILURES = 50, FAILURES_PER_MS = 0.025;
  const ACTIONS = ["click", "input", "change", "submit", "keydown", "keyup", "pointerdown", "mousedown", "pointerup", "mouseup", "touchstart",
    "touchend", "drop", "paste"];
  const INDUCED = { __proto__: null, input: 1, change: 1, submit: 1 }; // also come of what a script does
  const g = globalThis;
  const isWindow = typeof g.document === "object";
  const isServiceWorker = "ServiceWorkerGlobalScope" in g && g instanceof g.ServiceWorkerGlobalScope;

  // --- built-ins as they are before a page can change them -----------------------------------------------------------------------------
  const { apply, construct, get: read, getOwnPropertyDescriptor: described, defineProperty: define, getPrototypeOf } = Reflect;
  const NativePromise = Promise, NativeURL = g.URL, then = Promise.prototype.then, quote = JSON.stringify;
  const { slice, indexOf } = String.prototype;
  const weakGet = WeakMap.prototype.get, weakSet = WeakMap.prototype.set;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const clock = g.performance, clockNow = clock.now, origin = clock.timeOrigin;
  const getter = (type, name) => { const own = g[type] && described(g[type].prototype, name); return own && own.get; };
  const hrefOf = getter("URL", "href"), requestUrl = getter("Request", "url"), requestSignal = getter("Request", "signal");
  const requestUsed = getter("Request", "bodyUsed"), isAborted = getter("AbortSignal", "aborted"), responseUsed = getter("Response", "bodyUsed");
  const readyState = getter("XMLHttpRequest", "readyState"), timeStamp = getter("Event", "timeStamp"), eventType = getter("Event", "type");
  const eventTarget = getter("Event", "target"), eventSource = getter("MessageEvent", "source"), eventOrigin = getter("MessageEvent", "origin");
  const eventPorts = getter("MessageEvent", "ports"), isArray = Array.isArray;
  const baseUri = getter("Node", "baseURI"), isConnected = getter("Node", "isConnected"), elementId = getter("Element", "id");
  const getAttribute = isWindow && Element.prototype.getAttribute;
  const recall = (map, key) => apply(weakGet, map, [key]);
  const keep = (map, key, value) => apply(weakSet, map, [key, value]);
  const listen = (target, type, listener, options) => apply(addEventListener, target, [type, listener, options]);
  const nowMs = () => origin + apply(clockNow, clock, []);

  // --- one script a realm, one state for all realms of a page that can reach each other -------------------------------------------------
  const carried = (carrier) => { const own = carrier && carrier[config.key]; return own || undefined; };
  const hooksOf = (other) => {
    try {
      const post = described(other, "postMessage"), timer = described(other, "setTimeout");
      return (post && carried(post.value)) || (timer && carried(timer.value)) || carried(other.Function.prototype.toString);
    } catch {
      return undefined; // another origin
    }
  };
  let tell = g[config.binding];
  try { delete g[config.binding]; } catch { /* then it stays to be seen */ }
  const there = hooksOf(g);
  if (there) {
    there.arm(tell); // a reconnect, or a window whose document was replaced
    return;
  }
  if (typeof tell !== "function") return;
  const near = isWindow && ((g.parent !== g && hooksOf(g.parent)) || (g.opener && hooksOf(g.opener)));
  const state = near ? near.state : {
    __proto__: null,
    context: "", // of the running task, "" if nothing told it
    task: 0, // counts up whenever one is known to have ended
    first: null, last: null, // the contexts whose rejections may still have to be told, in the order of their tasks
    actions: { __proto__: null }, untold: 0,
    natives: new WeakMap(), // what each of our functions stands for
  };
  const realm = apply(slice, Math.random().toString(36), [2, 9]);
  let on = true, document, base = `${realm}:0`, serial = 0;

  // --- telling -------------------------------------------------------------------------------------------------------------------------
  let lines = "", flushing = false, failedTask = -1, failedContext = null, failedMs = 0, failures = MAX_FAILURES;
  const flush = () => {
    if (!lines) return;
    const payload = `[${lines}]`;
    lines = "";
    try { tell(payload); } catch { /* nobody listens */ }
  };
  const note = (kind, wallMs, fields) => { lines += `${lines ? "," : ""}["${kind}",${wallMs},${fields}]`; };
  const flushLater = () => {
    if (flushing) return;
    flushing = later(() => { flushing = false; flush(); }, WITHIN);
  };
  const current = () => {
    if (isWindow && g.document !== document) arm(); // replaced below us, as that of a popup is
    return state.context || base;
  };
  const queue = () => ({ __proto__: null, first: null, last: null, length: 0 });
  const push = (to, item) => {
    if (to.length >= MAX_QUEUED) return;
    const link = { __proto__: null, item, next: null };
    if (to.last) to.last.next = link; else to.first = link;
    to.last = link;
    to.length++;
  };
  const shift = (from) => {
    const link = from.first;
    if (!link) return undefined;
    from.first = link.next;
    if (!link.next) from.last = null;
    from.length--;
    return link.item;
  };
  const lately = queue();
  const remember = (action) => {
    if (lately.length >= MAX_ACTIONS) { // so many came to nothing
      const oldest = shift(lately);
      if (state.actions[oldest]) state.untold--;
      delete state.actions[oldest];
    }
    push(lately, action.id);
    state.actions[action.id] = action;
    state.untold++;
  };
  // The action is told with the first thing that happens in its context: most clicks come to nothing.
  const actionOf = (context) => {
    if (!state.untold) return undefined;
    const hop = apply(indexOf, context, ["~"]);
    const id = hop < 0 ? context : apply(slice, context, [0, hop]);
    const action = state.actions[id];
    if (action) {
      delete state.actions[id];
      state.untold--;
    }
    return action;
  };
  const introduce = (context) => {
    const action = actionOf(context);
    if (action) note("a", action.wallMs, `"${action.id}","${action.type}"`);
  };
  const url = (text) => quote(apply(slice, text, [0, MAX_URL_CHARS]));
  const happens = (kind, fields) => {
    const context = current();
    introduce(context);
    note(kind, nowMs(), fields(context));
    flush();
  };
  const requested = (id, address) => happens("q", (context) => `"${id}","${context}",${url(address)}`);
  // The browser tells a request with the stack that made it: a function of ours in that stack says by its name what would otherwise
  // cost a message of its own, and that costs an eighth of a request.
  const carrier = (id, native, self, args) => {
    const context = current(), action = actionOf(context);
    const began = action ? ` ${action.type} ${action.wallMs}` : "";
    const call = function () { return apply(native, self, args); };
    define(call, "name", { __proto__: null, value: `${config.binding} ${id} ${context}${began}` });
    return call;
  };
  const request = (id, address, native, self, args) => {
    let call;
    try {
      if (config.rides) call = carrier(id, native, self, args);
      else requested(id, address);
    } catch { /* unknown then */ }
    return call ? call() : apply(native, self, args);
  };
  const fails = () => {
    try {
      const context = current();
      if (!on || (failedTask === state.task && failedContext === context)) return;
      failedTask = state.task;
      failedContext = context;
      const now = nowMs();
      failures += (now - failedMs) * FAILURES_PER_MS;
      if (failures > MAX_FAILURES) failures = MAX_FAILURES;
      failedMs = now;
      if (failures >= 1) { // else a storm: every word about it costs the page more than it says
        failures--;
        // The last word of a storm is that it is not known whose failures follow.
        happens("f", () => failures < 1 ? '""' : `"${context}"`);
      }
      begin(state.context, false);
    } catch { /* the page's failure goes on as it would */ }
  };

  // --- contexts begin with a task's first known sign and end with the task --------------------------------------------------------------
  const NEXT = { __proto__: null, priority: "user-blocking", signal: undefined, delay: 0 };
  const IN_ORDER = { __proto__: null, priority: "user-visible", signal: undefined, delay: 0 };
  const WITHIN = { __proto__: null, priority: "user-visible", signal: undefined, delay: FLUSH_AFTER_MS };
  const postTask = g.Scheduler && g.Scheduler.prototype.postTask;
  let scheduler = g.scheduler;
  const later = (callback, how) => {
    try {
      if (!scheduler) scheduler = g.scheduler; // a worker has none yet while it waits for us
      apply(postTask, scheduler, [callback, how]);
      return true;
    } catch {
      return false;
    }
  };
  // Chrome tells rejections in a task of their own, queued with normal priority when the rejecting task ends. The end of a context is
  // queued earlier, its farewell (queued by the end) later: in between, rejections are those of the first context in the list.
  const forgetBefore = (entry) => {
    while (state.first && state.first !== entry) state.first = state.first.next;
  };
  const ends = (entry, inOrder) => {
    state.context = "";
    state.task++;
    entry.over = true;
    if (entry.gone) return;
    if (inOrder) forgetBefore(entry);
    later(() => {
      if (entry.gone) return;
      forgetBefore(entry);
      state.first = entry.next;
      if (!entry.next) state.last = null;
    }, IN_ORDER);
  };
  const forgetAll = () => {
    for (let entry = state.first; entry; entry = entry.next) entry.gone = true;
    state.first = state.last = null;
  };
  const begin = (context, inOrder) => {
    state.context = context;
    const last = state.last;
    if (last && !last.over && last.context === context) return;
    const entry = { __proto__: null, context, over: false, gone: false, next: null };
    if (!later(() => ends(entry, inOrder), inOrder ? IN_ORDER : NEXT)) return;
    if (last) last.next = entry; else state.first = entry;
    state.last = entry;
  };
  const enter = (context) => { if (on) begin(context, false); };
  const blur = () => { // nobody can say any more whose the rest of this task is
    for (let entry = state.first; entry; entry = entry.next) if (!entry.over) entry.context = "";
    state.context = "";
  };

  // --- promises: what is handed out is derived, because a handler on the page's own promise would hide that nobody handles it -----------
  const settled = NativePromise.resolve();
  const plain = (promise) => define(promise, "constructor", { __proto__: null, value: undefined, configurable: true }) && promise;
  plain(settled);
  const soon = (callback) => { apply(then, settled, [callback]); };
  let settling = 0, crowded = false;
  // The context is set in the microtask right before the page's first reaction. Where several settle in one task, what follows on the
  // first reactions can't be told apart any more: that is not known then.
  const settle = (id, done) => {
    if (!on) return done();
    try {
      if (settling++) crowded = true;
      soon(() => enter(id));
    } catch { /* as if unknown */ }
    done();
    soon(() => {
      settling--;
      if (crowded) blur();
      if (!settling) crowded = false;
    });
  };
  const follow = (promise, id, fulfilled) => {
    plain(promise);
    return new NativePromise((resolve, reject) => {
      apply(then, promise, [
        (value) => settle(id, () => { try { if (fulfilled) fulfilled(value); } catch { /* unknown then */ } resolve(value); }),
        (reason) => settle(id, () => reject(reason)),
      ]);
    });
  };

  // --- functions that stand for the page's ---------------------------------------------------------------------------------------------
  const patched = [];
  const shell = (native, handler) => {
    handler.get = (target, name, receiver) => name === config.key ? hooks : read(target, name, receiver === proxy ? target : receiver);
    const proxy = new Proxy(native, handler);
    keep(state.natives, proxy, native);
    return proxy;
  };
  const found = (owner, name) => {
    while (owner && !described(owner, name)) owner = getPrototypeOf(owner);
    return owner;
  };
  const put = (owner, name, was, now) => {
    define(owner, name, now);
    patched[patched.length] = { owner, name, was, now };
  };
  const replaced = (owner, name, handler) => {
    const holder = found(owner, name), was = holder && described(holder, name);
    if (!was || typeof was.value !== "function" || !was.configurable) return undefined;
    const { writable, enumerable } = was;
    const value = shell(was.value, handler);
    put(holder, name, was, { __proto__: null, value, writable, enumerable, configurable: true });
    return value;
  };
  const patch = (owner, name, trap) => {
    try { replaced(owner, name, { __proto__: null, apply: trap }); } catch { /* stays native */ }
  };
  const patchGetter = (owner, name, trap) => {
    try {
      const was = described(owner, name);
      if (!was || !was.get || !was.configurable) return;
      const get = shell(was.get, { __proto__: null, apply: trap });
      put(owner, name, was, { __proto__: null, get, set: was.set, enumerable: was.enumerable, configurable: true });
    } catch { /* stays native */ }
  };
  const patchClass = (name, made, before = () => undefined) => {
    try {
      const native = g[name];
      if (typeof native !== "function") return;
      const proxy = replaced(g, name, {
        __proto__: null,
        construct(target, args, newTarget) {
          let known;
          if (on) try { known = before(args); } catch { /* unknown then */ }
          const one = construct(target, args, newTarget === proxy ? target : newTarget);
          if (on) try { made(one, known); } catch { /* unknown then */ }
          return one;
        },
      });
      const own = proxy && described(native.prototype, "constructor");
      if (own && own.configurable && own.value === native) {
        put(native.prototype, "constructor", own, { __proto__: null, value: proxy, writable: own.writable, enumerable: own.enumerable, configurable: true });
      }
    } catch { /* stays native */ }
  };
  const arms = []; // what a replaced document forgets
  const hear = (target, type, listener) => {
    const options = { __proto__: null, capture: true, passive: true };
    const heard = function (event) { if (on) try { listener(event); } catch { /* unknown then */ } };
    arms[arms.length] = {
      arm: () => listen(target, type, heard, options),
      disarm: () => apply(removeEventListener, target, [type, heard, options]),
    };
  };
  const hearTrusted = (target, types, listener) => {
    for (let i = 0; i < types.length; i++) {
      listen(target, types[i], function (event) { if (on && event.isTrusted) try { listener(event); } catch { /* unknown then */ } });
    }
  };
  const resolved = (text) => {
    const from = isWindow ? apply(baseUri, g.document, []) : g.location.href;
    try {
      return apply(hrefOf, construct(NativeURL, [text, from]), []);
    } catch {
      return ""; // what can't be parsed is never requested
    }
  };
  const addressOf = (input) => {
    if (typeof input === "string") return resolved(input);
    try { return apply(hrefOf, input, []); } catch { return ""; }
  };

  // --- fetch ---------------------------------------------------------------------------------------------------------------------------
  const answered = new WeakMap(); // what came of a request → its id
  const aborted = (signal) => { try { return apply(isAborted, signal, []); } catch { return false; } };
  const fetched = (args) => {
    const input = args[0], init = args[1];
    const signal = init && typeof init === "object" && described(init, "signal");
    if (signal && signal.value && aborted(signal.value)) return "";
    if (typeof input !== "object" || !input) return addressOf(input);
    let address;
    try { address = apply(requestUrl, input, []); } catch { return addressOf(input); }
    return apply(requestUsed, input, []) || (!signal && aborted(apply(requestSignal, input, []))) ? "" : address;
  };
  const of = (id) => (value) => keep(answered, value, id);
  patch(g, "fetch", (native, self, args) => {
    let id = "", address = "";
    if (on && (self === undefined || self === null || self === g)) {
      try {
        address = fetched(args);
        if (address) id = `${realm}:${++serial}`;
      } catch { /* unknown then */ }
    }
    return id ? follow(request(id, address, native, self, args), id, of(id)) : apply(native, self, args);
  });
  const known = (one) => { try { return on ? recall(answered, one) : undefined; } catch { return undefined; } };
  if (g.Response) {
    const bodies = ["json", "text", "blob", "arrayBuffer", "formData", "bytes"];
    for (let i = 0; i < bodies.length; i++) {
      patch(g.Response.prototype, bodies[i], (native, self, args) => {
        const id = known(self), rejects = id && apply(responseUsed, self, []);
        const promise = apply(native, self, args);
        return id && !rejects ? follow(promise, id) : promise;
      });
    }
    const inherit = (native, self, args) => {
      const one = apply(native, self, args), id = known(self);
      if (id && one) try { of(id)(one); } catch { /* unknown then */ }
      return one;
    };
    patch(g.Response.prototype, "clone", inherit);
    patchGetter(g.Response.prototype, "body", inherit);
    if (g.ReadableStream && g.ReadableStreamDefaultReader) {
      patch(g.ReadableStream.prototype, "getReader", inherit);
      patch(g.ReadableStream.prototype, "pipeThrough", inherit);
      patch(g.ReadableStreamDefaultReader.prototype, "read", (native, self, args) => {
        const promise = apply(native, self, args), id = known(self);
        return id ? follow(promise, id) : promise;
      });
    }
  }

  // --- XMLHttpRequest, WebSocket, EventSource --------------------------------------------------------------------------------------------
  const meet = function () { const id = known(this); if (id) enter(id); };
  const kept = (call) => { // what happens inside is not what happens after it
    const before = state.context;
    try { return call(); } finally { if (on) state.context = before; }
  };
  if (g.XMLHttpRequest) {
    const addresses = new WeakMap();
    const turned = function (event) {
      try { if (event.isTrusted && apply(readyState, this, []) > 1) apply(meet, this, []); } catch { /* unknown then */ }
    };
    patchClass("XMLHttpRequest", (xhr) => listen(xhr, "readystatechange", turned));
    patch(XMLHttpRequest.prototype, "open", (native, self, args) => {
      if (on) try { keep(addresses, self, addressOf(args[1])); } catch { /* unknown then */ }
      return apply(native, self, args);
    });
    patch(XMLHttpRequest.prototype, "send", (native, self, args) => {
      let id = "", address = "";
      if (on) {
        try {
          address = recall(addresses, self);
          if (address && apply(readyState, self, []) === 1) keep(answered, self, id = `${realm}:${++serial}`);
        } catch { /* unknown then */ }
      }
      return kept(() => id ? request(id, address, native, self, args) : apply(native, self, args));
    });
    patch(XMLHttpRequest.prototype, "abort", (native, self, args) => kept(() => apply(native, self, args)));
  }
  const socketUrl = (address) => apply(slice, address, [0, 4]) === "http" ? `ws${apply(slice, address, [4])}` : address;
  const connects = (name, types) => patchClass(
    name,
    (one, id) => {
      if (!id) return;
      keep(answered, one, id);
      hearTrusted(one, types, () => enter(id));
    },
    (args) => {
      const address = addressOf(args[0]);
      if (!address) return "";
      const id = `${realm}:${++serial}`;
      requested(id, name === "WebSocket" ? socketUrl(address) : address);
      return id;
    },
  );
  connects("WebSocket", ["open", "message", "close", "error"]);
  connects("EventSource", ["open", "message", "error"]);

  // --- timers and frames ---------------------------------------------------------------------------------------------------------------
  let hopFrom = "", hopTo = "";
  const hop = () => {
    const from = current();
    if (from !== hopFrom) {
      hopFrom = from;
      hopTo = from && apply(indexOf, from, ["~t"]) < 0 ? `${from}~t` : from;
    }
    return hopTo;
  };
  const starts = (context) => {
    if (!on) return;
    state.task++;
    begin(context, true);
  };
  const starting = (callback) => {
    if (!on || typeof callback !== "function") return callback;
    const context = hop();
    return function () { starts(context); return apply(callback, this, arguments); };
  };
  const once = (native, self, args) => {
    if (args.length) args[0] = starting(args[0]);
    return apply(native, self, args);
  };
  const withoutTick = (context) => {
    const from = apply(indexOf, context, ["~i"]);
    if (from < 0) return context;
    const to = apply(indexOf, context, ["~", from + 1]);
    return apply(slice, context, [0, from]) + (to < 0 ? "" : apply(slice, context, [to]));
  };
  let intervals = 0;
  const repeated = (native, self, args) => {
    const callback = args[0];
    if (on && typeof callback === "function") {
      const creator = current(), before = withoutTick(creator), prefix = `${before}~i${++intervals}.`;
      let tick = 0;
      args[0] = function () { starts(before && prefix + ++tick); return apply(callback, this, arguments); };
    }
    return apply(native, self, args);
  };
  // Of long frames Chrome names the function that was called, and that should be the page's: so ours is called right before it.
  const framed = (native, self, args) => {
    if (on && typeof args[0] === "function") {
      const context = hop();
      apply(native, self, [() => starts(context)]);
    }
    return apply(native, self, args);
  };
  const timers = { __proto__: null, setTimeout: once, setInterval: repeated, requestAnimationFrame: framed, requestIdleCallback: once };
  // A worker gets its timers only when it is let run, and ours wait for that, unseen between it and what will have them: they take
  // their places at the first touch or event.
  const arrivals = [];
  const arrive = () => { for (let i = 0; i < arrivals.length; i++) arrivals[i](); };
  for (const name in timers) {
    if (found(g, name)) {
      patch(g, name, timers[name]);
    } else if (!isWindow && (name === "setTimeout" || name === "setInterval")) {
      const between = getPrototypeOf(g);
      const come = () => { if (described(between, name)?.get === get && delete between[name]) patch(g, name, timers[name]); };
      const get = () => { come(); return g[name]; };
      define(between, name, { __proto__: null, configurable: true, enumerable: false, get, set(value) { come(); g[name] = value; } });
      arrivals[arrivals.length] = come;
    }
  }

  // --- what else takes its time: its end belongs to whoever began it ---------------------------------------------------------------------
  const carries = (name, methods) => {
    const owner = name ? g[name] && (g[name].prototype || g[name]) : g;
    if (!owner) return;
    for (let i = 0; i < methods.length; i++) {
      patch(owner, methods[i], (native, self, args) => {
        const context = on ? current() : "", promise = apply(native, self, args);
        return context && getPrototypeOf(promise) === NativePromise.prototype ? follow(promise, context) : promise;
      });
    }
  };
  const reports = (name, methods, types) => {
    if (!g[name]) return;
    for (let i = 0; i < methods.length; i++) {
      patch(g[name].prototype, methods[i], (native, self, args) => {
        const one = apply(native, self, args);
        if (on) try { const context = current(); if (context) hearTrusted(one, types, () => enter(context)); } catch { /* unknown then */ }
        return one;
      });
    }
  };
  const callsBack = (name, method, places) => {
    if (!g[name]) return;
    patch(g[name].prototype, method, (native, self, args) => {
      for (let i = 0; i < places.length; i++) if (places[i] < args.length) args[places[i]] = starting(args[places[i]]);
      return apply(native, self, args);
    });
  };
  // They look at the page after its frames' callbacks, in the same task, and on nobody's behalf that is known.
  const looks = (name) => patchClass(name, () => {}, (args) => {
    const callback = args[0];
    if (typeof callback !== "function") return;
    args[0] = function () {
      if (state.context || state.first) enter("");
      return apply(callback, this, arguments);
    };
  });
  const asked = ["success", "error", "upgradeneeded", "blocked"];
  const queries = ["get", "getKey", "getAll", "getAllKeys", "count", "openCursor", "openKeyCursor"];
  try {
    carries("", ["createImageBitmap"]);
    carries("HTMLImageElement", ["decode"]);
    carries("Blob", ["text", "arrayBuffer", "bytes"]);
    carries("CookieStore", ["get", "getAll", "set", "delete"]);
    carries("CacheStorage", ["open", "match", "has", "keys", "delete"]);
    carries("Cache", ["match", "matchAll", "add", "addAll", "put", "delete", "keys"]);
    carries("SubtleCrypto", ["digest", "encrypt", "decrypt", "sign", "verify", "generateKey", "deriveKey", "deriveBits", "importKey", "exportKey"]);
    carries("Clipboard", ["read", "readText", "write", "writeText"]);
    carries("Permissions", ["query"]);
    carries("Scheduler", ["yield"]);
    carries("HTMLMediaElement", ["play"]);
    carries("MediaDevices", ["getUserMedia", "getDisplayMedia", "enumerateDevices"]);
    carries("FontFace", ["load"]);
    carries("FontFaceSet", ["load"]);
    carries("Element", ["requestFullscreen"]);
    carries("ServiceWorkerContainer", ["register"]);
    carries("StorageManager", ["estimate", "persist", "getDirectory"]);
    carries("ReadableStream", ["pipeTo"]);
    carries("WebAssembly", ["compile", "compileStreaming", "instantiate", "instantiateStreaming"]);
    callsBack("Scheduler", "postTask", [0]);
    callsBack("Document", "startViewTransition", [0]);
    callsBack("LockManager", "request", [1, 2]);
    looks("IntersectionObserver");
    looks("ResizeObserver");
    callsBack("Geolocation", "getCurrentPosition", [0, 1]);
    patchClass("FileReader", (reader) => hearTrusted(reader, ["load", "error", "loadend"], () => apply(meet, reader, [])));
    for (const method of g.FileReader ? ["readAsText", "readAsDataURL", "readAsArrayBuffer"] : []) {
      patch(g.FileReader.prototype, method, (native, self, args) => {
        if (on) try { of(current())(self); } catch { /* unknown then */ }
        return apply(native, self, args);
      });
    }
    reports("IDBFactory", ["open", "deleteDatabase"], asked);
    reports("IDBObjectStore", [...queries, "put", "add", "delete", "clear"], asked);
    reports("IDBIndex", queries, asked);
    reports("IDBDatabase", ["transaction"], ["complete", "error", "abort"]);
  } catch { /* unknown then */ }

  // --- messages ------------------------------------------------------------------------------------------------------------------------
  const sent = (channel, number) => happens("m", (context) => `"${channel}",${number},"${context}"`);
  const posted = (native, self, args, counter) => {
    try {
      return apply(native, self, args);
    } catch (error) {
      if (counter) counter.sent--; // what can't be cloned is not sent
      throw error;
    }
  };
  const ports = new WeakMap(); // one end of a channel → the other, what is on the way, and the channel's name once an end went to a thread
  const farEnd = (port, name) => {
    const end = recall(ports, port);
    if (end) {
      end.name = name;
      return;
    }
    meetPort(port, { __proto__: null, other: null, coming: null, name, sent: 0, came: 0 });
  };
  const meetPort = (port, end) => {
    keep(ports, port, end);
    hearTrusted(port, ["message", "messageerror"], () => {
      if (end.name) return enter(`${end.name}.${end.came++}`);
      const context = shift(end.coming);
      if (context !== undefined) enter(context);
    });
  };
  // Both threads name a port by the message that it went with and its place there.
  const lend = (args, prefix) => {
    const options = args[1], named = options && typeof options === "object" && !isArray(options) && described(options, "transfer");
    const list = named ? named.value : options;
    if (!isArray(list)) return;
    let place = 0;
    for (let i = 0; i < list.length && i < MAX_PORTS; i++) {
      const item = described(list, i), end = item && typeof item.value === "object" && item.value && recall(ports, item.value);
      if (end && end.other) farEnd(end.other, prefix + place);
      if (end) place++;
    }
  };
  const borrow = (event, prefix) => {
    const list = apply(eventPorts, event, []);
    for (let i = 0; i < list.length && i < MAX_PORTS; i++) farEnd(list[i], prefix + i);
  };
  if (g.MessageChannel && !isServiceWorker) {
    const port1 = getter("MessageChannel", "port1"), port2 = getter("MessageChannel", "port2");
    patchClass("MessageChannel", (channel) => {
      const one = apply(port1, channel, []), other = apply(port2, channel, []);
      meetPort(one, { __proto__: null, other, coming: queue(), name: "", sent: 0, came: 0 });
      meetPort(other, { __proto__: null, other: one, coming: queue(), name: "", sent: 0, came: 0 });
    });
    patch(g.MessagePort.prototype, "postMessage", (native, self, args) => {
      let end;
      if (on) try { end = recall(ports, self); if (end && end.name) sent(end.name, end.sent++); } catch { /* unknown then */ }
      const result = posted(native, self, args, end);
      if (on && end && end.other && !end.name) push(recall(ports, end.other).coming, current());
      return result;
    });
  }
  const spawned = new WeakMap();
  const makes = (name) => patchClass(
    name,
    (worker, id) => {
      if (!id) return;
      hearTrusted(worker, ["error"], () => enter(`${id}.e`));
      if (name === "SharedWorker") return;
      keep(spawned, worker, { __proto__: null, id, sent: 0 });
      let number = 0;
      hearTrusted(worker, ["message", "messageerror"], (event) => {
        borrow(event, `${id}q${number}_`);
        enter(`${id}.${number++}`);
      });
    },
    (args) => {
      const address = addressOf(args[0]), id = `${realm}:w${++serial}`;
      if (!address) return "";
      happens("w", (context) => `"${id}","${context}",${url(address)}`);
      return id;
    },
  );
  makes("Worker");
  makes("SharedWorker");
  if (g.Worker) {
    patch(g.Worker.prototype, "postMessage", (native, self, args) => {
      let to;
      if (on) {
        try {
          to = recall(spawned, self);
          if (to) {
            lend(args, `${to.id}p${to.sent}_`);
            sent(to.id, to.sent++);
          }
        } catch { /* unknown then */ }
      }
      return posted(native, self, args, to);
    });
  }
  let inbox;
  if (isWindow) {
    // Only what a realm like this one sent is in the box; a message of a stranger is none of them.
    inbox = queue();
    hear(g, "message", (event) => {
      if (!event.isTrusted) return;
      const source = apply(eventSource, event, []);
      if (inbox.first && inbox.first.item.source === source) return enter(shift(inbox).context);
      const from = apply(eventOrigin, event, []);
      if (source && from !== g.origin) { // of another site: when it came is all that is known of it
        const id = `${realm}:x${++serial}`;
        remember({ __proto__: null, id, type: `message@${from}`, wallMs: origin + apply(timeStamp, event, []) });
        enter(id);
      }
    });
    const reaches = (args) => {
      const options = args[1];
      const target = options && typeof options === "object" ? (described(options, "targetOrigin") || { value: "/" }).value : options;
      return target === undefined || target === "*" || target === "/" || addressOf(target) === resolved("/") || target === g.origin;
    };
    patch(g, "postMessage", (native, self, args) => {
      const result = apply(native, self, args);
      if (on) {
        try {
          const to = self === undefined || self === g ? hooks : hooksOf(self);
          if (to && to.inbox && reaches(args)) to.inbox({ __proto__: null, source: g, context: current() });
        } catch { /* unknown then */ }
      }
      return result;
    });
  } else {
    const firsts = ["message", "connect", "install", "activate"];
    for (let i = 0; i < firsts.length; i++) hear(g, firsts[i], () => { base = ""; arrive(); });
  }
  if ("DedicatedWorkerGlobalScope" in g) {
    const page = { __proto__: null, sent: 0 };
    let came = 0;
    const comes = (event) => {
      if (!event.isTrusted) return;
      borrow(event, `${realm}:p${came}_`);
      enter(`${realm}:m${came++}`);
    };
    hear(g, "message", comes);
    hear(g, "messageerror", comes);
    patch(g, "postMessage", (native, self, args) => {
      if (on) {
        try {
          lend(args, `${realm}:q${page.sent}_`);
          sent("out", page.sent++);
        } catch { /* unknown then */ }
      }
      return posted(native, self, args, page);
    });
  }
  if (isServiceWorker) {
    // A listener of ours alone would send every request of the site through this worker: ours comes only with the page's own.
    let hooked = false;
    const intercept = () => {
      if (hooked) return;
      hooked = true;
      listen(g, "fetch", (event) => {
        if (!on || !event.isTrusted) return;
        try {
          const id = `${realm}:s${++serial}`;
          base = "";
          note("s", nowMs(), `"${id}",${url(apply(requestUrl, event.request, []))}`);
          flush();
          enter(id);
        } catch { /* unknown then */ }
      });
    };
    patch(g, "addEventListener", (native, self, args) => {
      if (on && args[0] === "fetch") try { intercept(); } catch { /* unknown then */ }
      return apply(native, self, args);
    });
    try {
      const owner = found(g, "onfetch"), was = described(owner, "onfetch");
      const set = shell(was.set, { __proto__: null, apply: (native, self, args) => { if (on) intercept(); return apply(native, self, args); } });
      put(owner, "onfetch", was, { __proto__: null, get: was.get, set, enumerable: was.enumerable, configurable: true });
    } catch { /* stays native */ }
  }

  // --- failures ------------------------------------------------------------------------------------------------------------------------
  const levels = ["error", "warn", "assert"];
  for (let i = 0; i < levels.length; i++) {
    try {
      const console = g.console, name = levels[i], was = described(console, name);
      if (!was || !was.configurable || (was.get && !was.set)) continue;
      let value = was.value;
      const accessor = { // read before every call, and no frame of ours in the stack of the call
        get [name]() { fails(); return was.get ? apply(was.get, this, []) : value; },
        set [name](to) {
          if (was.set) apply(was.set, this, [to]);
          else if (this === console) value = to;
          else if (this !== undefined && this !== null) define(this, name, { __proto__: null, value: to, writable: true, enumerable: true, configurable: true });
        },
      };
      const { get, set } = described(accessor, name);
      put(console, name, was, { __proto__: null, get, set, enumerable: was.enumerable, configurable: true });
      if (!was.get) patched[patched.length - 1].value = () => value;
    } catch { /* stays native */ }
  }
  hear(g, "unhandledrejection", (event) => {
    if (!event.isTrusted) return;
    enter(state.first ? state.first.context : "");
    fails();
  });
  hear(g, "error", (event) => {
    const target = apply(eventTarget, event, []);
    if (!event.isTrusted) return;
    if (target === g || !isWindow) fails();
    else elementFailed(target);
  });
  const elementFailed = (element) => {
    const id = `${realm}:e${++serial}`;
    note("e", nowMs(), `"${id}",${url(String(element.currentSrc || element.src || element.href || ""))}`);
    flush();
    enter(id);
    later(() => { note("h", nowMs(), `"${id}"`); flush(); }, NEXT);
  };

  // --- the window: actions, navigations, what is removed ---------------------------------------------------------------------------------
  if (isWindow) {
    let action = { __proto__: null, id: "", type: "", wallMs: 0 }, actionStamp = -1;
    const acts = (event) => {
      const type = apply(eventType, event, []), stamp = apply(timeStamp, event, []);
      if (!event.isTrusted && type !== "submit") return;
      if (stamp === actionStamp) {
        action.type = type; // pointerup, mouseup, click: the last one says it best
      } else {
        if (INDUCED[type] && state.context) return;
        actionStamp = stamp;
        action = { __proto__: null, id: `${realm}:a${++serial}`, type, wallMs: origin + stamp };
        remember(action);
      }
      enter(action.id);
    };
    for (let i = 0; i < ACTIONS.length; i++) hear(g, ACTIONS[i], acts);
    patchClass("Image", (image) => hearTrusted(image, ["error"], () => { if (!apply(isConnected, image, [])) elementFailed(image); }));

    const goes = (to) => happens("n", (context) => `"${context}",${url(to)}`);
    const destination = getter("NavigateEvent", "destination"), destinationUrl = getter("NavigationDestination", "url");
    if (g.navigation) hear(g.navigation, "navigate", (event) => goes(apply(destinationUrl, apply(destination, event, []), [])));
    patch(g, "open", (native, self, args) => {
      if (on) try { goes(args.length ? addressOf(args[0]) : ""); } catch { /* unknown then */ }
      return apply(native, self, args);
    });

    const selectorOf = (element) => {
      const id = apply(elementId, element, []);
      if (id) return `#${id}`;
      const test = apply(getAttribute, element, ["data-testid"]);
      return test ? `[data-testid=${quote(test)}]` : "";
    };
    let looked = 0, removed = 0;
    const gone = (nodes) => {
      for (let i = 0; i < nodes.length && looked < MAX_LOOKED_AT && removed < MAX_REMOVED; i++) {
        const node = nodes[i];
        looked++;
        if (node.nodeType !== 1 || apply(isConnected, node, [])) continue; // moved, not removed
        const selector = selectorOf(node), context = current();
        if (!selector) continue;
        if (!removed++) introduce(context);
        note("r", nowMs(), `"${context}",${quote(selector)}`);
      }
    };
    const observer = new MutationObserver((records) => {
      if (!on) return;
      try {
        looked = removed = 0;
        for (let i = 0; i < records.length; i++) {
          const nodes = records[i].removedNodes;
          if (nodes.length) gone(nodes);
        }
        if (removed) flushLater();
      } catch { /* unknown then */ }
    });
    const { observe, disconnect } = MutationObserver.prototype;
    arms[arms.length] = {
      arm: () => apply(observe, observer, [g.document, { __proto__: null, subtree: true, childList: true }]),
      disarm: () => apply(disconnect, observer, []),
    };
    hear(g, "load", () => later(() => { base = ""; }, NEXT));
    hear(g, "pagehide", () => {
      flush();
      forgetAll(); // a frame that goes takes with it what it posted
      state.context = "";
      state.task++;
    });
  }

  // --- on and off ----------------------------------------------------------------------------------------------------------------------
  const arm = (binding) => {
    if (typeof binding === "function") tell = binding;
    if (!on && typeof binding !== "function") return;
    if (!isWindow && document !== undefined) {
      base = "";
      arrive();
    }
    if (isWindow && document !== g.document) base = g.document.readyState === "complete" ? "" : `${realm}:0`;
    document = isWindow ? g.document : null;
    if (typeof binding === "function") {
      note("o", nowMs(), `"${realm}"`);
      flush();
    }
    for (let i = 0; i < arms.length; i++) arms[i].arm();
  };
  const stop = () => {
    flush();
    on = false;
    for (let i = 0; i < arms.length; i++) arms[i].disarm();
    for (let i = patched.length - 1; i >= 0; i--) {
      try {
        const { owner, name, was, now, value } = patched[i], is = described(owner, name);
        if (!is || is.value !== now.value || is.get !== now.get || is.set !== now.set) continue; // somebody else's by now
        if (value) was.value = value();
        define(owner, name, was);
      } catch { /* frozen */ }
    }
  };
  const hooks = { __proto__: null, state, arm, stop, inbox: inbox && ((item) => push(inbox, item)) };
  const textOf = Function.prototype.toString;
  patch(Function.prototype, "toString", (native, self, args) => {
    let known;
    try { known = recall(state.natives, self); } catch { /* no object */ }
    return apply(textOf, known || self, args);
  });
  arm(tell);
}
