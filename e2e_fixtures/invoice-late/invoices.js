// The rejection of a sent invoice comes over a second later, just after another request has failed.
document.querySelector("#send").onclick = async () => {
  const response = await fetch("/api/invoices/88/send", { method: "POST" });
  const error = new Error(`Invoice 88 bounced with ${response.status}`);
  setTimeout(() => Promise.reject(error), 1200);
};

document.querySelector("#count").onclick = async () => {
  const response = await fetch("/api/invoices/count");
  document.title = `${response.status}`;
};
