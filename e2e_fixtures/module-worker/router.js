// A module worker that asks a service, with a helper that it imports.
import { queryOf } from "./query.js";

self.addEventListener("message", async ({ data }) => {
  const response = await fetch(`/api/route?${queryOf(data)}`);
  const answer = await response.json();
  self.postMessage(response.ok ? { route: answer } : { reason: answer.error });
});
