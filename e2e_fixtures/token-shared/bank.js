// Two flows wait for one refresh of the token.
let refreshing = null;

function freshToken() {
  refreshing ??= fetch("/api/token", { method: "POST" }).then((response) => {
    if (!response.ok) throw new Error(`Token was refused (${response.status})`);
    return response.json();
  });
  return refreshing;
}

async function act(name) {
  try {
    await freshToken();
  } catch {
    console.error(`Can't ${name}: log in again`);
  }
}

document.querySelector("#pay").onclick = () => act("pay");
document.querySelector("#history").onclick = () => act("see the history");
