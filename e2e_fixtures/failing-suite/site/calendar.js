// The library was not deployed.
document.querySelector("#calendar").append(new CalendarLibrary().month());
