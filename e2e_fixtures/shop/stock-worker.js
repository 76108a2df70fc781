// Counts the pieces of a delivery note; its last line is cut off.
self.onmessage = ({ data }) => {
  self.postMessage({ pieces: countPieces(data.delivery) });
};

function countPieces(delivery) {
  return delivery.split("\n").map(parseLine).reduce((sum, { count }) => sum + count, 0);
}

function parseLine(line) {
  const [piece, count] = line.split(";");
  if (count === undefined) throw new Error(`Delivery note is cut off at "${piece}"`);
  return { piece, count: Number(count) };
}
