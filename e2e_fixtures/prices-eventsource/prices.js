// Server-sent events; the page chokes on the third.
document.querySelector("#subscribe").addEventListener("click", () => {
  const source = new EventSource("/live/prices");
  source.onmessage = ({ data }) => {
    const { n } = JSON.parse(data);
    if (n === 3) source.close();
    if (n === 3) throw new RangeError(`No row for price ${n}`);
  };
});
