// Shows who is signed in; the server sends who is not to the login page.
async function showAccount() {
  const response = await fetch("/account");
  const { name } = await response.json();
  document.querySelector("#greeting").innerHTML = `<b>Welcome, ${name}</b>`;
}

document.querySelector("#account").addEventListener("click", showAccount);
