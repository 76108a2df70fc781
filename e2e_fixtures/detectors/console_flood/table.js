// Draws a table, with a line in the console for each row.
const rows = Number(new URLSearchParams(location.search).get("rows"));

function drawRow(number) {
  console.log("drawing row", number);
  document.querySelector("#stock").insertRow().insertCell().textContent = `Lamp ${number}`;
}

document.querySelector("#draw").addEventListener("click", () => {
  for (let number = 0; number < rows; number++) drawRow(number);
  console.log("the table is drawn");
});
