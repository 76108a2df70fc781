// A chat whose server goes away; the handler of the close throws.
document.querySelector("#enter").addEventListener("click", () => {
  const socket = new WebSocket(`ws://${location.host}/live/chat`);
  socket.onclose = ({ code }) => {
    throw new Error(`Chat was closed with ${code}`);
  };
});
