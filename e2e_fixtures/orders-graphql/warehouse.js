// Two queries to one address; both answers have status 200, one of them carries errors.
async function query(name) {
  const response = await fetch(`/graphql?op=${name}`, { method: "POST", body: JSON.stringify({ operationName: name }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(`${name}: ${errors[0].message}`);
  return data;
}

for (const name of ["stock", "staff"]) {
  document.querySelector(`#${name}`).addEventListener("click", async () => {
    await query(name);
  });
}
