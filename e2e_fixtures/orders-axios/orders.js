// Two orders by axios: one failure is caught and logged, the other is not.
/* global axios */
document.querySelector("#reorder").addEventListener("click", async () => {
  try {
    await axios.post("/api/orders", { again: 1041 });
  } catch (error) {
    console.error("Reorder failed:", error.message);
  }
});

document.querySelector("#track").addEventListener("click", async () => {
  const { data } = await axios.get("/api/orders/1041/track");
  document.querySelector("#note").textContent = data.where;
});
