// A page that fails a moment after it was opened.
setTimeout(() => {
  throw new Error("No prices were given");
}, 30);
