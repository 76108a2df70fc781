// Shows the payment of another site in a frame, and hears from it how that went.
const frame = document.createElement("iframe");
frame.id = "pay-frame";
frame.title = "Payment";
frame.src = `http://localhost:${location.port}/payment.html`;
frame.onload = () => (document.querySelector("#state").dataset.ready = "yes");
document.querySelector("#payment").append(frame);

addEventListener("message", ({ data, origin }) => {
  if (origin !== location.origin && data.paid === false) console.error("Payment was declined");
});
