// Fills the list of time zones when it is wanted.
const which = new URLSearchParams(location.search).get("zones");

document.querySelector("#pick").addEventListener("click", async () => {
  const zones = await (await fetch(`/zones-${which}.json`)).json();
  document.querySelector("#zone").append(...zones.map((zone) => new Option(zone)));
});
