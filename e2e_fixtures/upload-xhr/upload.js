// An upload by XMLHttpRequest whose load handler throws.
document.querySelector("#upload").onclick = () => {
  const request = new XMLHttpRequest();
  request.open("POST", "/api/photos");
  request.upload.onprogress = (event) => {
    document.querySelector("#progress").value = event.loaded / event.total;
  };
  request.onload = () => {
    if (request.status >= 400) throw new Error(`Photo was refused: ${request.status}`);
  };
  request.send(new Blob(["not really a photo"]));
};
