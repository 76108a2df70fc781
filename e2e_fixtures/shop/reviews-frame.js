// Shows the reviews in turn; one came in with six stars out of five.
const reviews = [
  { stars: 5, text: "The mug keeps my hands warm.", by: "Ines" },
  { stars: 4, text: "Heavier than I thought, lovely glaze.", by: "Tomasz" },
  { stars: 6, text: "Best bowl I own.", by: "Aiko" },
];

function starBar(stars) {
  return "★".repeat(stars) + "☆".repeat(5 - stars);
}

function showReview({ stars, text, by }) {
  const item = document.createElement("li");
  item.innerHTML = `<b>${starBar(stars)}</b><br>${text}<small>${by}</small>`;
  document.querySelector("#reviews").append(item);
}

reviews.forEach(showReview);
