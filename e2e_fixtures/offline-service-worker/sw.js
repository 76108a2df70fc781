// Answers the page's API requests from the network, and lets a bad answer fail.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.url.includes("/api/")) event.respondWith(fromNetwork(event.request));
});

async function fromNetwork(request) {
  const response = await fetch(request.url.replace("/api/", "/backend/"), { method: request.method });
  if (!response.ok) throw new Error(`Backend answered ${response.status}`);
  return response;
}
