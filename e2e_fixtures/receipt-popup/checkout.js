// Opens the receipt in a window of its own.
document.querySelector("#receipt").addEventListener("click", () => {
  window.open("/receipt.html", "receipt", "width=400,height=500");
});
