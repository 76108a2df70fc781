// A bug of the page's own script, at once and once more a little later; no request has anything to do with it.
document.querySelector("time").textContent = new Date().toISOString();
setTimeout(showZone, 60);
startAlarm();

function showZone() {
  console.error("Unknown time zone");
}
