// Answers each question on the port that came with it.
self.onmessage = async ({ data, ports: [port] }) => {
  const response = await fetch(`/api/rates/${data.currency}`);
  port.postMessage(await response.json());
};
