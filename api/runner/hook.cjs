// Loaded into every Node process below `firstcause run`: a Chromium that it starts gets a DevTools port and is announced.
"use strict";

const childProcess = require("child_process");
const fs = require("fs");
const path = require("path");

const folder = process.env._FIRSTCAUSE_RUN;
const OBSERVER = "observer";
const BROWSER = /chrom|msedge|edge|headless[-_]shell|brave|opera|vivaldi/i;
const PORT = "--remote-debugging-port";
const PROFILE = "--user-data-dir=";
const MAX_HOLD_MS = 5000;
const POLL_MS = 5;

// Every way to start a process ends here, however its caller imported the module.
const prototype = childProcess.ChildProcess && childProcess.ChildProcess.prototype;
let announced = 0;

if (folder && prototype && typeof prototype.spawn === "function" && !prototype.spawn.firstcause) {
  const spawn = prototype.spawn;
  prototype.spawn = function (options) {
    const browser = guarded(() => reachable(options));
    const result = spawn.call(this, browser ? browser.options : options);
    if (browser) {
      this.spawnargs = options.args;
      if (this.pid) guarded(() => announce(this, browser));
    }
    return result;
  };
  Object.defineProperty(prototype.spawn, "firstcause", { value: true });
}

// Whatever goes wrong here, the process is started as it would be without us.
function guarded(attempt) {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}

function reachable(options) {
  const given = options && options.args;
  if (!Array.isArray(given) || !isObserved()) return undefined;
  const name = path.basename(String(options.file));
  const args = given.map(String);
  const profile = (args.filter((each) => each.startsWith(PROFILE)).pop() || "").slice(PROFILE.length);
  if (!profile || !BROWSER.test(name) || /driver/i.test(name) || args.some((each) => each.startsWith("--type=")))
    return undefined;
  const asked = args.filter((each) => each.startsWith(PORT + "=")).pop();
  const port = asked ? Number(asked.slice(PORT.length + 1)) || 0 : 0;
  // The first argument is the name under which the program is started.
  const extended = asked ? given : [given[0], PORT + "=0", ...given.slice(1)];
  return { options: { ...options, args: extended }, profile: path.resolve(options.cwd || ".", profile), port };
}

function announce(child, browser) {
  announced += 1;
  const name = path.join(folder, `${process.pid}-${announced}-${child.pid}`);
  child.once("exit", (code, signal) => guarded(() => write(name + ".exit", { code, signal })));
  write(name + ".browser", {
    pid: child.pid,
    profile: browser.profile,
    port: browser.port,
    worker: process.env.TEST_WORKER_INDEX || "",
  });
  // The launcher waits, not the browser: it has nothing to do before it is told, and then nothing of it is missed.
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const until = Date.now() + MAX_HOLD_MS;
  while (Date.now() < until && !fs.existsSync(name + ".ready") && isObserved()) Atomics.wait(clock, 0, 0, POLL_MS);
}

// Written under another name first: whoever reads it finds all of it.
function write(name, content) {
  fs.writeFileSync(name + ".part", JSON.stringify(content));
  fs.renameSync(name + ".part", name);
}

function isObserved() {
  try {
    process.kill(Number(fs.readFileSync(path.join(folder, OBSERVER), "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}
