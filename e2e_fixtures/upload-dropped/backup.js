// The server hangs up, and the error handler of the XMLHttpRequest throws before Chrome has told of the failure.
document.querySelector("#backup").addEventListener("click", () => {
  const request = new XMLHttpRequest();
  request.open("GET", "/api/backup");
  request.onerror = () => {
    throw new Error("Backup was cut off");
  };
  request.send();
});
