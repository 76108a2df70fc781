// Two queries by query-core that retry, overlap, and end in an error that an observer sees.
import { QueryClient, QueryObserver } from "/npm/@tanstack/query-core/build/modern/index.js";

const client = new QueryClient();
client.mount();

async function askFor(name, attempt) {
  const response = await fetch(`/api/tasks/${name}?attempt=${attempt}`);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

function openList(name) {
  let attempt = 0;
  let told = false;
  const observer = new QueryObserver(client, {
    queryKey: ["tasks", name],
    queryFn: () => askFor(name, ++attempt),
    retry: 1,
    retryDelay: 50,
  });
  observer.subscribe((result) => {
    if (result.isError && !told) {
      told = true;
      console.error(`Tasks of ${name} can't be shown`);
    }
  });
}

for (const name of ["mine", "team"]) {
  document.querySelector(`#${name}`).addEventListener("click", () => openList(name));
}
