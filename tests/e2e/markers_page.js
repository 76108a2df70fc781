// What a page can find out about the functions and the order of things around it: the same with and without markers.
globalThis.facts = async () => {
  const g = globalThis, found = {}, base = g.document ? document.baseURI : location.href;
  const inWindow = typeof document === "object";
  const names = ["fetch", "setTimeout", "setInterval", "requestAnimationFrame", "requestIdleCallback", "postMessage", "open", "XMLHttpRequest",
    "WebSocket", "EventSource", "Worker", "SharedWorker", "MessageChannel", "Image"];
  const methods = [["Response", ["json", "text", "blob", "arrayBuffer", "formData", "bytes", "clone"]], ["XMLHttpRequest", ["open", "send", "abort"]],
    ["ReadableStream", ["getReader"]], ["ReadableStreamDefaultReader", ["read"]], ["Worker", ["postMessage"]], ["MessagePort", ["postMessage"]],
    ["Function", ["toString", "call", "apply", "bind"]], ["EventTarget", ["addEventListener"]]];
  const said = (run) => { try { return String(run()); } catch (error) { return `${error.name}: ${error.message}`; } };
  const later = async (run) => { try { return String(await run()); } catch (error) { return `${error.name}: ${error.message}`; } };
  const shape = (descriptor) => descriptor && Object.fromEntries(Object.entries(descriptor).map(([key, value]) =>
    [key, typeof value === "function" ? `${value.name}/${value.length}` : String(value)]));
  const holder = (object, name) => { while (object && !Object.hasOwn(object, name)) object = Object.getPrototypeOf(object); return object; };
  const look = (owner, name) => {
    const at = holder(owner, name);
    if (!at) return "absent";
    const descriptor = Object.getOwnPropertyDescriptor(at, name), one = descriptor.value ?? descriptor.get;
    return {
      descriptor: shape(descriptor), depth: at === owner,
      keys: Reflect.ownKeys(one).map(String), own: shape(Object.getOwnPropertyDescriptor(one, "name")), length: shape(Object.getOwnPropertyDescriptor(one, "length")),
      text: said(() => one.toString()), called: said(() => Function.prototype.toString.call(one)), joined: `${one}`, type: typeof one,
      tag: Object.prototype.toString.call(one), extensible: Object.isExtensible(one), prototype: "prototype" in one, proto: Object.getPrototypeOf(one) === Function.prototype,
      stray: said(() => one.call({})), nothing: said(() => one.call(null) && ""), caller: said(() => one.caller),
      made: /^[A-Z]/.test(name) ? said(() => one()) : said(() => new one()),
      constructor: one.prototype ? one.prototype.constructor === one : null,
    };
  };
  for (const name of names) if (name !== "postMessage" && name !== "open") found[name] = look(g, name);
  found.postMessage = [g.postMessage?.name, g.postMessage?.length, said(() => g.postMessage?.toString()), said(() => inWindow && postMessage())];
  found.open = [g.open?.name, g.open?.length, said(() => g.open?.toString())];
  for (const [type, list] of methods) for (const name of list) found[`${type}.${name}`] = g[type] && look(g[type].prototype, name);
  found.body = g.Response && look(Response.prototype, "body");
  found.globals = [Object.keys(g).sort(), Object.getOwnPropertyNames(g).sort(), Object.getOwnPropertySymbols(g).map(String), [...new Set((() => { const all = []; for (const name in g) all.push(name); return all; })())].sort()];
  for (const type of ["Response", "XMLHttpRequest", "MessageChannel", "Promise", "Function", "EventTarget", "Array", "Object"]) {
    found[`keys of ${type}`] = g[type] && [Reflect.ownKeys(g[type]).map(String), Reflect.ownKeys(g[type].prototype).map(String)];
  }
  found.console = [Object.keys(console), ["error", "warn", "assert"].map((name) => [console[name].name, console[name].length, `${console[name]}`])];

  // --- order ---
  const log = [], ports = [];
  const mark = (name) => () => log.push(name);
  await new Promise((done) => {
    setTimeout(mark("timer 0"), 0);
    setTimeout(() => { log.push("timer 1"); Promise.resolve().then(mark("micro in timer")); queueMicrotask(mark("queued in timer")); }, 1);
    Promise.resolve().then(mark("micro 1")).then(mark("micro 2"));
    queueMicrotask(mark("queued"));
    (async () => { await null; log.push("await 1"); await null; log.push("await 2"); })();
    const channel = new MessageChannel();
    channel.port1.onmessage = (event) => { ports.push(event.data); Promise.resolve().then(() => ports.push("micro")); };
    channel.port2.postMessage(1);
    channel.port2.postMessage(2);
    setTimeout(done, 80);
    log.push("sync");
  });
  found.order = [log, ports];
  const rejectedAtOnce = async (make) => {
    const order = [];
    const one = make();
    one.then(() => order.push("kept"), () => order.push("broken"));
    Promise.resolve().then(() => order.push("a")).then(() => order.push("b")).then(() => order.push("c"));
    await one.catch(() => 0);
    await new Promise((done) => setTimeout(done, 5));
    return order;
  };
  const stopped = AbortSignal.abort();
  found.atOnce = [
    await rejectedAtOnce(() => fetch("/page", { signal: stopped })), await rejectedAtOnce(() => fetch("http://[")), await rejectedAtOnce(() => fetch()),
    await rejectedAtOnce(() => fetch(new Request("/page", { signal: stopped }))),
  ];
  const used = await fetch("/page?used");
  await used.text();
  found.used = [await rejectedAtOnce(() => used.text()), await later(() => used.json()), used.bodyUsed];
  const answer = await fetch("/page?answer");
  found.answer = [answer instanceof Response, answer.constructor === Response, (await answer.clone().text()).length > 0, (await answer.blob()).size > 0, String(fetch("/page?type"))];
  const reader = (await fetch("/page?stream")).body.getReader();
  const chunk = await reader.read();
  found.stream = [Object.keys(chunk), chunk.value.constructor.name, (await reader.read()).done, await later(() => reader.closed)];
  found.errors = [await later(() => fetch("http://127.0.0.1:1/")), await later(() => fetch("/page", { method: "TRACE" })), await later(() => fetch.call({}, "/page")),
    said(() => setTimeout.call({}, () => 0)), said(() => Response.prototype.json.call({}) && "a promise"), await later(() => Response.prototype.json.call({})),
    said(() => { const xhr = new XMLHttpRequest(); xhr.send(); }), said(() => new WebSocket("::")), said(() => new WebSocket())];
  const derived = fetch("/page?derived");
  found.promise = [derived.constructor === Promise, Reflect.ownKeys(derived).map(String), Object.getPrototypeOf(derived) === Promise.prototype];
  await derived;

  // --- timers take what they took ---
  found.timers = await new Promise((done) => {
    const seen = [];
    setTimeout(function (...args) { seen.push(this === g, ...args); }, 0, 1, "two");
    seen.push(said(() => typeof setTimeout("globalThis.evaluated = 1", 0)));
    const tick = setInterval(function (a) { seen.push(this === g, a); clearInterval(tick); }, 1, "tick");
    clearTimeout(setTimeout(() => seen.push("cancelled"), 0));
    setTimeout(() => done([seen, g.evaluated, typeof tick]), 60);
  });
  if (g.requestAnimationFrame && inWindow) found.frame = await new Promise((done) => requestAnimationFrame((...args) => done(args.map((one) => typeof one))));

  // --- events of a request, in their order ---
  if (g.XMLHttpRequest) found.xhr = await new Promise((done) => {
    const seen = [], xhr = new XMLHttpRequest();
    for (const type of ["readystatechange", "loadstart", "load", "loadend", "error", "abort"]) xhr.addEventListener(type, (event) => seen.push(`${event.type} ${xhr.readyState}`));
    xhr.onloadend = () => setTimeout(() => done(seen));
    xhr.open("GET", "/page?xhr");
    xhr.send();
  });
  if (g.XMLHttpRequest) {
    const sync = new XMLHttpRequest();
    sync.open("GET", "/page?sync", false);
    sync.send();
    found.sync = [sync.status, sync.responseText.length > 0];
  }
  if (g.XMLHttpRequest) {
    class Own extends XMLHttpRequest { get mine() { return "mine"; } send() { this.sent = true; super.send(); } }
    const own = new Own();
    own.open("GET", "/page?own");
    own.send();
    found.own = [own.mine, own.sent, own instanceof XMLHttpRequest, Object.getPrototypeOf(own) === Own.prototype, Object.getPrototypeOf(Own) === XMLHttpRequest, own.constructor === Own];
    found.reflected = [Reflect.construct(XMLHttpRequest, [], Own) instanceof Own, said(() => Reflect.construct(Object, [], XMLHttpRequest) instanceof XMLHttpRequest)];
  }
  class Channel extends MessageChannel {}
  found.channel = [new Channel() instanceof Channel, new MessageChannel().constructor === MessageChannel, Object.getPrototypeOf(new Channel()) === Channel.prototype];
  const socket = new WebSocket(`ws://${new URL("/page", base).host}/none`);
  found.socket = await new Promise((done) => { const seen = []; socket.onerror = () => seen.push("error"); socket.onclose = (event) => { seen.push(event.code); done(seen); }; });

  // --- rejections ---
  const rejections = [];
  const listener = (event) => { rejections.push([event.promise === kept[event.reason.message], event.reason.message]); event.preventDefault(); };
  const kept = {};
  g.addEventListener("unhandledrejection", listener);
  kept.plain = Promise.reject(new Error("plain"));
  kept.fetched = fetch("http://127.0.0.1:1/").catch(() => { throw new Error("fetched"); });
  const lost = fetch("http://127.0.0.1:1/lost");
  kept["Failed to fetch"] = lost;
  const text = (await fetch("/page?text")).json();
  text.catch((error) => { kept[error.message] = text; });
  const parse = (await fetch("/page?parse")).json();
  kept[await parse.then(() => 0, (error) => error.message)] = parse;
  setTimeout(() => { kept.timer = Promise.reject(new Error("timer")); }, 0);
  await new Promise((done) => setTimeout(done, 120));
  g.removeEventListener("unhandledrejection", listener);
  found.rejections = rejections.map(String).sort();

  if (inWindow) {
    found.messages = await new Promise((done) => {
      const seen = [];
      addEventListener("message", (event) => { seen.push([event.data, event.source === window, event.origin === origin || origin === "null"]); if (seen.length === 2) done(seen); });
      postMessage("a", "*");
      window.postMessage("b", { targetOrigin: "/" });
    });
    found.image = [new Image(3, 4).width, new Image() instanceof HTMLImageElement, Image.prototype === HTMLImageElement.prototype, new Image().constructor === HTMLImageElement];
    const inner = document.createElement("iframe");
    document.body.append(inner);
    const inside = inner.contentWindow;
    found.inner = [inside.fetch !== fetch, Function.prototype.toString.call(inside.fetch), inside.Function.prototype.toString.call(fetch), inside.Function.prototype.toString.call(inside.setTimeout)];
    inner.remove();
  }
  return found;
};

// What happens to a console that others replace parts of, as every error collector does.
globalThis.consoleFacts = () => {
  const said = [], original = console.error, restored = Object.getOwnPropertyDescriptor(console, "warn");
  console.error = (...args) => said.push(args.join());
  console.error("one", 1);
  const replaced = console.error !== original;
  console.error = original;
  const child = Object.create(console);
  child.warn = "own";
  const facts = [said, replaced, console.error === original, Object.hasOwn(child, "warn"), child.warn, typeof console.warn, Reflect.set(console, "assert", console.assert)];
  Object.defineProperty(console, "warn", { value: "defined", configurable: true, writable: true, enumerable: true });
  facts.push(console.warn, shapeOf(console, "warn"));
  Object.defineProperty(console, "warn", restored);
  facts.push(Object.keys(child), typeof child.error, delete child.warn, typeof child.warn);
  return facts;
};
globalThis.shapeOf = (object, name) => Object.keys(Object.getOwnPropertyDescriptor(object, name)).join();
