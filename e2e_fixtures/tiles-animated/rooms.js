// Two rooms by the same function; each waits for an animation before it looks at its answer.
const fadedIn = () => new Promise((resolve) => setTimeout(resolve, 120));

async function loadRoom(number) {
  const response = await fetch(`/api/rooms/${number}`);
  await fadedIn();
  if (!response.ok) throw new Error("A room is closed");
}

document.querySelector("#load").onclick = () => {
  [101, 102].forEach(loadRoom);
};
