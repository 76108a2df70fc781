// Renders when the order was placed, in the visitor's time zone; the server did that in its own.
const { createElement, useEffect } = React;
const timeZone = new URLSearchParams(location.search).get("zone");
const placed = new Date("2026-03-02T09:41:00Z");

function Receipt() {
  useEffect(() => {
    document.title = "Your receipt";
    const ready = document.createElement("p");
    ready.id = "ready";
    document.body.append(ready);
  }, []);
  const time = placed.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
  return [createElement("h1", { key: "title" }, "Order 1207"), createElement("p", { key: "time" }, time)];
}

ReactDOM.hydrateRoot(document.querySelector("#root"), createElement(Receipt));
