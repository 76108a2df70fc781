// Shows the details of a lamp in a panel that takes a little more room each time that it is rendered.
const { createElement, useLayoutEffect, useState } = React;
const settles = location.search === "?settles";
const ENOUGH_PX = 20;

function Panel() {
  const [height, setHeight] = useState(10);
  useLayoutEffect(() => {
    if (!settles || height < ENOUGH_PX) setHeight(height + 1);
  });
  return createElement("p", { id: height < ENOUGH_PX ? "details-panel" : "settled" }, `${height} px`);
}

function Lamp() {
  const [isOpen, open] = useState(false);
  return createElement(
    "div",
    null,
    createElement("button", { id: "details", onClick: () => open(true) }, "Details"),
    isOpen && createElement(Panel),
  );
}

ReactDOM.createRoot(document.querySelector("#root")).render(createElement(Lamp));
