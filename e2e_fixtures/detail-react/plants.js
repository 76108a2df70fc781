// A React page: a component loads in an effect, fails when it draws the answer, and a boundary catches it.
/* global React, ReactDOM */
const { Component, createElement, useEffect, useState } = React;

class Boundary extends Component {
  state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  componentDidCatch(error) {
    console.error("Boundary caught:", error.message);
  }

  render() {
    return this.state.failed ? createElement("p", { id: "failed" }, "This plant can't be shown.") : this.props.children;
  }
}

function Plant({ id }) {
  const [plant, setPlant] = useState(null);
  useEffect(() => {
    fetch(`/api/plants/${id}`)
      .then((response) => response.json())
      .then(setPlant);
  }, [id]);
  return createElement("p", null, plant ? plant.names[0] : "loading …");
}

function App() {
  const [id, setId] = useState(null);
  return createElement(
    "div",
    null,
    createElement("button", { id: "open", onClick: () => setId(3) }, "Open plant 3"),
    id && createElement(Boundary, null, createElement(Plant, { id })),
  );
}

ReactDOM.createRoot(document.querySelector("#root")).render(createElement(App));
