// Answers with the mean of the heights it is sent.
self.onmessage = ({ data }) => {
  self.postMessage(data.reduce((sum, height_m) => sum + height_m, 0) / data.length);
};
