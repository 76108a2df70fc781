/**
 * A stream of events from firstcause: every event once and in order, however often the connection drops. An ES module without
 * dependencies, for pages and for Node 22 or newer.
 *
 *     import { connect } from "http://127.0.0.1:8787/client.js";
 *     const stream = connect({ channels: ["errors"], minSeverity: "low" });
 *     for await (const event of stream) console.log(event.severity, event.summary);
 *
 * Where the page is not one of the server give `url` too, and a `token` or `getTicket` where it asks for one. In Node the variables
 * FIRSTCAUSE_URL and FIRSTCAUSE_TOKEN stand in for both. `close()` when done: leaving the loop alone does not end the stream.
 *
 * In React: `useSyncExternalStore(stream.subscribe, stream.getSnapshot)` gives the last events, the state and the error, if any.
 * A connection that is lost is taken up again after the last event; if anything between the server and here lost or repeated a part
 * of the stream, it fails with the code `stream_broken` and never goes on as if nothing had happened.
 *
 * @module
 */

/**
 * @typedef {"errors" | "network_errors" | "performance" | "selectors" | "anomalies" | "activity" | "runs" | "output"} Channel
 * @typedef {"critical" | "high" | "medium" | "low" | "info"} Severity
 * @typedef {{url?: string[], kind?: string[], text?: string[], page?: string[], selector?: string[], severity?: Severity[]}} Patterns
 *
 * @typedef {object} StreamEvent  Fields with their default (page, context, correlation_id, cause) are left out.
 * @property {string} id
 * @property {number} seq
 * @property {string} timestamp
 * @property {string} project
 * @property {string} session
 * @property {string} [page]
 * @property {Channel} channel
 * @property {string} type
 * @property {string} kind
 * @property {Severity} severity
 * @property {string} summary
 * @property {Record<string, unknown>} [context]
 * @property {string} [correlation_id]
 * @property {{id: string, via: string, confidence: number}} [cause]
 * @property {string} fingerprint
 * @property {number} count
 *
 * @typedef {{channel: Channel, prev: number, upto: number, lost: number, reason: "evicted" | "pressure"}} Gap
 *
 * @typedef {object} Options
 * @property {string} [url]  http(s):// or ws(s)://; in a page the origin that this module was loaded from.
 * @property {string} [token]  Sent as a subprotocol, because a page can't set headers here.
 * @property {string} [ticket]  Good for the first connection alone; `getTicket` is asked for each one.
 * @property {() => string | Promise<string>} [getTicket]
 * @property {string} [project]
 * @property {Channel[]} [channels]
 * @property {Patterns} [include]
 * @property {Patterns} [exclude]
 * @property {Severity} [minSeverity]
 * @property {number} [throttleMs]
 * @property {string} [cursor]  Where an earlier stream was, or "start".
 * @property {boolean} [complete]  Whether what the server only counts is fetched; true unless said otherwise.
 * @property {(gap: Gap) => void} [onGap]  Told of events that nobody has any more.
 * @property {number} [keep]  How many events a snapshot has; 200 unless said otherwise.
 * @property {number} [giveUpMs]  How long to try to reach the server; for ever unless said otherwise.
 * @property {[number, number]} [retryMs]  The first and the longest wait before coming back.
 *
 * @typedef {"connecting" | "live" | "reconnecting" | "closed" | "failed"} State
 * @typedef {{events: readonly StreamEvent[], state: State, lost: number, error: StreamError | null}} Snapshot
 */

const PATH = "/v1/stream";
const SUB = 1;
const SILENCE_MS = 45_000; // an idle server speaks every 15 s
const HELD_FRAMES = 64; // then the server is asked to hold back, and sums up
const RESUMED_AT = 16;
const LASTING = [4401, 4403, 1009];
const COMING_BACK_HELPS = ["too_many", "shutting_down"];
const LETTERS = {
  errors: "e", network_errors: "n", performance: "p", selectors: "s", anomalies: "a", activity: "v", runs: "r", output: "o",
};

/** What went wrong: `code` never changes, `hint` says what to do. */
export class StreamError extends Error {
  /** @param {string} code @param {string} message @param {string} [hint] */
  constructor(code, message, hint = "") {
    super(hint ? `${message} ${hint}` : message);
    this.name = "StreamError";
    this.code = code;
    this.hint = hint;
  }
}

/** @param {Options} [options] @returns {Stream} */
export function connect(options = {}) {
  return new Stream(options);
}

/** Where the ranges of every channel are; `follow` throws for a frame that does not go on exactly there. */
class Chain {
  life = 0; // counts the logs: a range of another life is about other events
  /** @type {Record<string, number>} */
  at = {};

  constructor(cursor = "") {
    this.cursor = cursor;
    for (const [, letter, seq] of cursor.split(".")[1]?.matchAll(/([a-z])(\d+)/g) ?? []) {
      const channel = Object.keys(LETTERS).find((name) => LETTERS[name] === letter);
      if (channel) this.at[channel] = Number(seq);
    }
  }

  begin(frame) {
    if (frame.reason === "complete" || frame.reason === "evicted") {
      for (const [channel, seq] of Object.entries(frame.positions)) {
        const own = this.at[channel];
        if (own !== undefined && own !== seq) broken(`The server goes on at ${channel} ${seq}, and this client is at ${own}.`);
      }
    }
    if (frame.reason === "epoch_changed") this.life += 1;
    this.at = { ...frame.positions };
    this.cursor = frame.cursor;
  }

  follow(frame) {
    if (frame.op === "pos") {
      for (const [channel, seq] of Object.entries(this.at)) {
        if (!(frame.positions[channel] >= seq)) broken(`The server fell back behind ${channel} ${seq}.`);
      }
      this.at = { ...frame.positions };
    } else if (frame.op !== "live") {
      const at = this.at[frame.channel];
      if (frame.prev !== at || frame.upto <= frame.prev) {
        broken(`A ${frame.op} of ${frame.channel} covers ${frame.prev} to ${frame.upto}, and this client is at ${at}.`);
      }
      if (frame.op !== "gap") checkEvents(frame, frame.prev, frame.count - (frame.omitted ?? 0));
      this.at[frame.channel] = frame.upto;
    }
    this.cursor = frame.cursor;
  }
}

/** That the events of a frame are of its channel, in order, within (after, upto], and as many as announced. */
function checkEvents(frame, after, count) {
  if (frame.events.length !== count) {
    broken(`A ${frame.op} of ${frame.channel} announced ${count} events and has ${frame.events.length}.`);
  }
  let seq = after;
  for (const event of frame.events) {
    if (event.channel !== frame.channel || !(event.seq > seq && event.seq <= frame.upto)) {
      broken(`Event ${event.seq} of ${event.channel} came after ${seq} of ${frame.channel}.`);
    }
    seq = event.seq;
  }
}

function broken(message) {
  throw new StreamError("stream_broken", message, "Connect again with the cursor of this stream.");
}

class Outdated extends Error {}

/** A digest whose events are fetched page by page. */
class OpenDigest {
  done = false;
  #told = 0;
  #lost = 0;

  constructor({ frame, life, changes }) {
    this.frame = frame;
    this.life = life;
    this.changes = changes;
    this.after = frame.prev;
    this.inline = frame.events;
  }

  get request() {
    return { op: "fetch", sub: SUB, channel: this.frame.channel, after: this.after, upto: this.frame.upto };
  }

  /** The events of a page and how many are gone; those that the digest itself brought are there even if they are gone elsewhere. */
  take(page, changes) {
    const { frame, after } = this;
    const nearer = page.more ? page.upto > after && page.upto < frame.upto : page.upto === frame.upto;
    if (page.channel !== frame.channel || page.after !== after || !nearer) {
      broken(`Asked for ${frame.channel} from ${after} to ${frame.upto}, the server answered to ${page.upto}.`);
    }
    checkEvents(page, after, page.count);
    const inline = this.inline.filter((event) => event.seq <= page.upto);
    const events = new Map([...inline, ...page.events].map((event) => [event.seq, event]));
    this.inline = this.inline.slice(inline.length);
    this.after = page.upto;
    this.#told += events.size;
    const end = after + (page.lost ?? 0);
    const lost = end - after - inline.filter((event) => event.seq <= end).length;
    this.#lost += lost;
    this.done = !page.more;
    // Events are judged by the filter of now: after a change of it the count does not say how many there are.
    if (this.done && !this.#lost && changes === this.changes && this.#told !== frame.count) {
      broken(`A digest of ${frame.channel} counted ${frame.count} events, and there are ${this.#told}.`);
    }
    return { events: [...events.values()].sort((a, b) => a.seq - b.seq), gap: this.#gap(after, end, lost) };
  }

  /** What is left when the server has another log: the events that came with the digest. */
  abandon() {
    this.done = true;
    const lost = this.frame.count - this.#told - this.inline.length;
    return { events: this.inline, gap: this.#gap(this.after, this.frame.upto, lost) };
  }

  #gap(prev, upto, lost) {
    return { op: "gap", channel: this.frame.channel, prev, upto, lost, reason: "evicted" };
  }
}

/** Made by `connect`. Leaving a `for await` does not end it: it goes on where it was; `close` ends it. */
export class Stream {
  #options;
  #spec;
  #chain;
  #muted = []; // by the user; `#holding` is for all channels, while frames pile up here
  #holding = false;
  #changes = 0; // counts twice for each change of the filter: between asking and answer, either one may hold
  #ids = SUB;
  /** @type {Map<number, any>} */
  #requests = new Map();
  #socket = null;
  #subscribed = false;
  #timer;
  #silence;
  #attempt = 0;
  #failingSince = Date.now();
  #lastWords = null;
  #begun = false;
  #url;
  #protocols;
  #ticket;

  #frames = []; // that came and are not looked at
  #ready = []; // events of `#frame` to be given
  #frame = null;
  #digest = null;
  #given = null;
  #cursor;
  #over = null; // {error} once there is nothing more to come
  #iterated = false;
  #turn = Promise.resolve();
  #wake = () => {};
  #news = Promise.resolve();

  #listeners = new Set();
  #driven = false;
  #recent = [];
  #draft = { events: Object.freeze([]), state: "connecting", lost: 0, error: null };
  #changing = false;
  /** @type {Snapshot} */
  #snapshot = Object.freeze({ ...this.#draft });

  /** @param {Options} options */
  constructor(options) {
    const { project, channels, include, exclude, minSeverity, throttleMs, cursor = "" } = options;
    this.#options = { complete: true, keep: 200, giveUpMs: Infinity, retryMs: [100, 5000], ...options };
    this.#spec = {
      op: "subscribe", id: SUB, project, channels, include, exclude, min_severity: minSeverity, throttle_ms: throttleMs,
    };
    this.#cursor = cursor;
    this.#chain = new Chain(cursor);
    this.#url = streamUrl(options.url);
    this.#protocols = protocolsOf(options.token ?? globalThis.process?.env?.FIRSTCAUSE_TOKEN);
    this.#ticket = options.ticket;
    this.#awaitNews();
    void this.#open();
  }

  /** Where a later stream goes on, right after the last event that this one gave. */
  get cursor() {
    if (!this.#frame || !this.#given) return this.#cursor;
    const letter = LETTERS[this.#frame.channel];
    return this.#frame.cursor.replace(new RegExp(`(\\..*?${letter})\\d+`), `$1${this.#given.seq}`);
  }

  /** How many events were gone before they could be told, counted before any filter. */
  get lost() {
    return this.#draft.lost;
  }

  /** @returns {AsyncIterator<StreamEvent>} */
  [Symbol.asyncIterator]() {
    this.#iterated = true;
    this.#wake();
    return {
      next: async () => {
        const event = await this.#next(() => true);
        return event ? { done: false, value: event } : { done: true, value: undefined };
      },
    };
  }

  /** Call `listener` after every change of the snapshot; gives what ends that. Without an iterator events flow into it by themselves. */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    void this.#drive();
    return () => void this.#listeners.delete(listener);
  };

  /** @returns {Snapshot} the same object until something changes */
  getSnapshot = () => this.#snapshot;

  /** Hold these channels back, all without an argument; nothing is lost. Gives those that are held back then.
   * @param {...Channel} channels @returns {Promise<Channel[]>} */
  async mute(...channels) {
    return this.#mute("mute", channels);
  }

  /** @param {...Channel} channels @returns {Promise<Channel[]>} */
  async unmute(...channels) {
    return this.#mute("unmute", channels);
  }

  /** Change what is given; what a digest counted before and is fetched later is judged anew too.
   * @param {{include?: Patterns, exclude?: Patterns, minSeverity?: Severity, throttleMs?: number}} changes */
  async update({ include, exclude, minSeverity, throttleMs }) {
    const fields = without({ include, exclude, min_severity: minSeverity, throttle_ms: throttleMs });
    this.#changes += 1;
    await this.#ask({ op: "update", sub: SUB, ...fields });
    Object.assign(this.#spec, fields);
  }

  /** Tell an event of one's own; the answer comes when it is kept.
   * @param {{channel: Channel, kind: string, summary: string, severity?: Severity, [field: string]: unknown}} event
   * @returns {Promise<{event: string, channel: Channel, seq: number}>} */
  async publish(event) {
    const { event: id, channel, seq } = await this.#ask({ op: "publish", project: this.#spec.project, event }, { repeatable: false });
    return { event: id, channel, seq };
  }

  /** Ends iterations too, once they have given what is here already. */
  close() {
    this.#end(null);
  }

  [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    this.close();
    return Promise.resolve();
  }

  async #mute(op, channels) {
    const named = channels.length ? channels : Object.keys(this.#chain.at);
    const others = this.#muted.filter((channel) => !named.includes(channel));
    this.#muted = op === "mute" ? [...others, ...named] : others;
    if (!this.#holding) this.#muted = (await this.#ask({ op, sub: SUB, channels })).channels;
    return this.#muted;
  }

  async #open() {
    const { getTicket } = this.#options;
    let socket;
    try {
      const ticket = getTicket ? await getTicket() : this.#ticket;
      this.#ticket = undefined;
      if (this.#over) return;
      const url = new URL(this.#url);
      if (ticket) url.searchParams.set("ticket", ticket);
      socket = this.#socket = new WebSocket(url, this.#protocols);
    } catch (error) {
      this.#retry(new StreamError("server_unreachable", `No connection could be made: ${error?.message ?? error}.`));
      return;
    }
    socket.onopen = () => {
      this.#say({ ...this.#spec, cursor: this.#chain.cursor });
      if (this.#holding) this.#say({ op: "mute", sub: SUB });
      else if (this.#muted.length) this.#say({ op: "mute", sub: SUB, channels: this.#muted });
    };
    socket.onmessage = ({ data }) => this.#socket === socket && this.#receive(data);
    socket.onclose = ({ code }) => this.#socket === socket && this.#closed(code);
    this.#listenForSilence();
  }

  #listenForSilence() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#closed(1006), SILENCE_MS);
  }

  #receive(data) {
    this.#listenForSilence();
    try {
      this.#take(JSON.parse(data));
    } catch (error) {
      const reason = error instanceof StreamError ? error : new StreamError("stream_broken", `A frame can't be read: ${error.message}.`);
      this.#end(reason);
    }
  }

  #take(frame) {
    switch (frame.op) {
      case "subscribed":
        this.#chain.begin(frame);
        this.#put(frame);
        this.#subscribed = this.#begun = true;
        for (const request of this.#requests.values()) {
          if (request.life !== undefined && request.life !== this.#chain.life) this.#answer(request, null, new Outdated());
          else this.#send(request);
        }
        break;
      case "live":
        this.#change({ state: "live", error: null });
      // falls through
      case "batch":
      case "digest":
      case "gap":
      case "pos":
        this.#chain.follow(frame);
        this.#put(frame);
        break;
      case "error":
        this.#refused(frame);
        break;
      default:
        if (frame.op === "updated") this.#changes += 1;
        if (this.#requests.has(frame.id)) this.#answer(this.#requests.get(frame.id), frame);
    }
  }

  #put(frame) {
    this.#frames.push({ frame, life: this.#chain.life, changes: this.#changes });
    if (!this.#holding && this.#frames.length >= HELD_FRAMES) {
      this.#holding = true;
      this.#say({ op: "mute", sub: SUB });
    }
    this.#wake();
  }

  #letCome() {
    this.#holding = false;
    const channels = Object.keys(this.#chain.at).filter((channel) => !this.#muted.includes(channel));
    if (this.#subscribed && channels.length) this.#say({ op: "unmute", sub: SUB, channels });
  }

  #refused(frame) {
    const reason = new StreamError(frame.code, frame.message, frame.hint);
    if (frame.id === undefined) {
      this.#lastWords = reason;
    } else if (frame.id === SUB) {
      if (!COMING_BACK_HELPS.includes(frame.code)) throw reason;
      this.#lastWords = reason;
      this.#closed(1000);
    } else if (this.#requests.has(frame.id)) {
      this.#answer(this.#requests.get(frame.id), null, reason);
    }
  }

  #closed(code) {
    const reason = this.#lastWords ?? reasonOf(code, this.#url);
    if (this.#subscribed) {
      this.#attempt = 0;
      this.#failingSince = Date.now();
    }
    this.#leave();
    for (const request of this.#requests.values()) {
      if (request.sent && !request.repeatable) {
        const unknown = "The connection ended before the answer.";
        this.#answer(request, null, new StreamError("server_unreachable", unknown, "Look whether it was done before doing it again."));
      }
    }
    if (LASTING.includes(code)) this.#end(reason);
    else this.#retry(reason);
  }

  #retry(reason) {
    if (this.#over) return;
    if (Date.now() - this.#failingSince >= this.#options.giveUpMs) {
      this.#end(reason);
      return;
    }
    const [first, most] = this.#options.retryMs;
    const delay = Math.min(first * 2 ** this.#attempt++, most) * (0.5 + Math.random() / 2); // many clients must not come back together
    this.#timer = setTimeout(() => void this.#open(), delay);
    this.#change({ state: this.#begun ? "reconnecting" : "connecting", error: reason });
  }

  #leave() {
    clearTimeout(this.#silence);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#subscribed = false;
    this.#lastWords = null;
    socket?.close();
  }

  #end(error) {
    if (this.#over) return;
    this.#over = { error };
    this.#leave();
    const reason = error ?? new StreamError("closed", "The stream was closed.");
    for (const request of this.#requests.values()) this.#answer(request, null, reason);
    this.#change({ state: error ? "failed" : "closed", error });
    this.#wake();
  }

  #ask(op, { life, repeatable = true } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#over) throw this.#over.error ?? new StreamError("closed", "The stream was closed.");
      if (life !== undefined && life !== this.#chain.life) throw new Outdated();
      const id = ++this.#ids;
      const request = { id, message: { ...op, id }, life, repeatable, sent: false, resolve, reject };
      this.#requests.set(id, request);
      if (this.#subscribed) this.#send(request);
    });
  }

  #send(request) {
    request.sent = true;
    this.#say(request.message);
  }

  #answer(request, frame, error) {
    this.#requests.delete(request.id);
    if (error) request.reject(error);
    else request.resolve(frame);
  }

  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** The next event; undefined at the end, or when it is not wanted any more. Whoever asks waits for those who asked before. */
  #next(isWanted) {
    const turn = this.#turn.then(() => this.#due(isWanted));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #due(isWanted) {
    while (isWanted()) {
      if (this.#ready.length) return this.#give();
      if (this.#digest) {
        if (!(await this.#fetch(this.#digest))) return undefined;
      } else if (this.#frames.length) {
        this.#begin(this.#frames.shift());
      } else if (this.#over) {
        if (this.#over.error) throw this.#over.error;
        return undefined;
      } else {
        await this.#news;
      }
    }
    return undefined;
  }

  #begin(arrival) {
    const { frame } = arrival;
    if (this.#holding && this.#frames.length <= RESUMED_AT) this.#letCome();
    if (frame.op !== "batch" && frame.op !== "digest") {
      this.#cursor = frame.cursor;
      if (frame.op === "gap") this.#missed(frame);
      return;
    }
    this.#frame = frame;
    this.#given = null;
    if (frame.omitted && this.#options.complete) this.#digest = new OpenDigest(arrival);
    else this.#ready = [...frame.events];
    this.#settle();
  }

  /** False when the stream was closed meanwhile. */
  async #fetch(digest) {
    let part;
    try {
      const page = await this.#ask(digest.request, { life: digest.life });
      part = digest.take(page, this.#changes);
    } catch (error) {
      if (error instanceof Outdated) {
        part = digest.abandon();
      } else {
        this.#end(error);
        if (this.#over.error) throw this.#over.error;
        return false;
      }
    }
    this.#ready = part.events;
    if (digest.done) this.#digest = null;
    this.#settle();
    if (part.gap.lost > 0) this.#missed(part.gap);
    return true;
  }

  #give() {
    const event = (this.#given = this.#ready.shift());
    this.#settle();
    this.#recent.push(event);
    if (this.#recent.length > this.#options.keep) this.#recent.shift();
    this.#change({ events: this.#recent });
    return event;
  }

  /** When all of a frame is given, the stream is where that ends. */
  #settle() {
    if (this.#frame && !this.#ready.length && !this.#digest) {
      this.#cursor = this.#frame.cursor;
      this.#frame = null;
    }
  }

  #missed({ channel, prev, upto, lost, reason }) {
    this.#change({ lost: this.#draft.lost + lost });
    this.#options.onGap?.({ channel, prev, upto, lost, reason });
  }

  async #drive() {
    if (this.#driven || this.#iterated) return;
    this.#driven = true;
    try {
      while (await this.#next(() => !this.#iterated)) {
        while (this.#ready.length && !this.#iterated) this.#give();
      }
    } catch (error) {
      this.#end(error);
    }
    this.#driven = false;
  }

  #awaitNews() {
    this.#news = new Promise((resolve) => {
      this.#wake = () => {
        this.#awaitNews();
        resolve();
      };
    });
  }

  /** All that changes in one go is one new snapshot. */
  #change(fields) {
    Object.assign(this.#draft, fields);
    if (this.#changing) return;
    this.#changing = true;
    queueMicrotask(() => {
      this.#changing = false;
      if (this.#draft.events === this.#recent) this.#draft.events = Object.freeze([...this.#recent]);
      this.#snapshot = Object.freeze({ ...this.#draft });
      for (const listener of [...this.#listeners]) listener();
    });
  }
}

function without(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function reasonOf(code, url) {
  const hints = {
    4401: ["unauthorized", "There was no token or ticket, or it was wrong, expired or used up.", "`firstcause token` prints the token."],
    4403: ["forbidden", "The token or the origin is not allowed here.", "Use a token that may do this, or allow the origin."],
    4429: ["too_many", "The token has as many connections as it may.", "Close another one, or raise max_connections."],
    1009: ["too_large", "A message was larger than is taken.", "Send less at once."],
  };
  const unreachable = [
    "server_unreachable", `No firstcause answers at ${new URL(url).host} (${code}).`, "Start one with `firstcause serve`.",
  ];
  return new StreamError(...(hints[code] ?? unreachable));
}

function streamUrl(given) {
  const own = import.meta.url.startsWith("http") ? new URL(import.meta.url).origin : undefined;
  const text = given ?? own ?? globalThis.process?.env?.FIRSTCAUSE_URL ?? "";
  try {
    const url = new URL(text.includes("://") ? text : `http://${text}`);
    url.protocol = { "http:": "ws:", "https:": "wss:" }[url.protocol] ?? url.protocol;
    if (!url.protocol.startsWith("ws")) throw new TypeError("not an address of a server");
    const path = url.pathname.replace(/\/+$/, "");
    url.pathname = path.endsWith(PATH) ? path : path + PATH;
    return url.href;
  } catch {
    throw new StreamError("bad_url", `${JSON.stringify(text)} is no address of a server.`, "Give `url` like http://127.0.0.1:8787.");
  }
}

function protocolsOf(token) {
  if (!token) return [];
  if (!/^[\w.~+-]+$/.test(token)) {
    throw new StreamError("bad_option", "The token has characters that can't be sent from here.", "Use a ticket: POST /v1/tickets.");
  }
  return ["firstcause", `firstcause.token.${token}`];
}
