// Asks where the parcel is, four times a second.
const times = Number(new URLSearchParams(location.search).get("times"));
const state = document.querySelector("#state");

async function followParcel() {
  for (let time = 0; time < times; time += 1) {
    const { where } = await (await fetch("/api/parcel")).json();
    state.textContent = where;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  state.innerHTML += " <em>until tomorrow</em>";
}

followParcel();
