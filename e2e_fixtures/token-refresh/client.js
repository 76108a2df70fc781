// A client that refreshes its token once when an answer says 401, for all that wait, and then asks again.
let refreshing = null;

function refreshed() {
  refreshing ??= fetch("/api/refresh", { method: "POST" }).finally(() => (refreshing = null));
  return refreshing;
}

async function ask(path) {
  const first = await fetch(path);
  if (first.status !== 401) return first.json();
  await refreshed();
  const second = await fetch(`${path}?again=yes`);
  if (!second.ok) throw new Error(`Still not allowed: ${path}`);
  return second.json();
}
