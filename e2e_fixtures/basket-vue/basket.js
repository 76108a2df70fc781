// A Vue page: a watcher asks for the price of what was chosen, and a computed value can't cope with the answer.
/* global Vue */
const { createApp, h, ref, watch } = Vue;

createApp({
  setup() {
    const chosen = ref("");
    const price = ref(null);
    watch(chosen, async (name) => {
      const response = await fetch(`/api/prices/${name}`);
      price.value = await response.json();
    });
    return () =>
      h("div", [
        h("button", { id: "pears", onClick: () => (chosen.value = "pears") }, "Pears"),
        h("p", { id: "price" }, price.value ? price.value.amount.toFixed(2) : "choose"),
      ]);
  },
}).mount("#app");
