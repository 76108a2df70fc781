// A reporter for @playwright/test: tells `firstcause run` which test does what, and how it ended.
"use strict";

const fs = require("fs");
const path = require("path");

const CATEGORIES = new Set(["pw:api", "expect", "test.step"]);
const COLOURS = /\x1b\[[0-9;]*m/g;
const MAX_TEXT = 4000;

module.exports = class FirstcauseReporter {
  constructor() {
    const folder = process.env._FIRSTCAUSE_RUN;
    this.file = folder ? path.join(folder, `${process.pid}.told`) : "";
  }

  printsToStdio() {
    return false;
  }

  onTestBegin(test, result) {
    this.tell("started", test, result, () => ({}));
  }

  onStepBegin(test, result, step) {
    if (CATEGORIES.has(step.category)) this.tell("step", test, result, () => ({ title: step.title }));
  }

  onTestEnd(test, result) {
    const outcome = result.status === "passed" || result.status === "skipped" ? result.status : "failed";
    this.tell(outcome, test, result, () => ({
      status: result.status,
      errors: result.errors.map((error) => ({
        message: text(error.message || error.value),
        line: error.location ? place(error.location) : "",
      })),
      ms: result.duration,
    }));
  }

  // A reporter that throws ends the run.
  tell(what, test, result, more) {
    if (!this.file) return;
    try {
      const said = {
        what,
        test: test.titlePath().filter(Boolean).join(" › "),
        test_id: test.id,
        at: place(test.location),
        worker: String(result.workerIndex),
        retry: result.retry,
        at_ms: Date.now(),
        ...more(),
      };
      fs.appendFileSync(this.file, JSON.stringify(said) + "\n");
    } catch {
      // Left out: what comes next may be fine.
    }
  }
};

// From where the command runs, as far as it is below that.
function place(location) {
  const below = path.relative(process.cwd(), location.file);
  const outside = below.startsWith("..") || path.isAbsolute(below);
  return `${(outside ? path.basename(location.file) : below).replaceAll("\\", "/")}:${location.line}`;
}

function text(value) {
  return String(value === undefined ? "" : value).replace(COLOURS, "").slice(0, MAX_TEXT);
}
