document.querySelector("#receipt").addEventListener("click", () => window.open("/receipt"));
