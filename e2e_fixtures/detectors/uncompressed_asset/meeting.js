// Offers the time zones that another script lists.
document.querySelector("#zone").append(...globalThis.zones.map((zone) => new Option(zone)));
