// The payment comes from another site.
document.querySelector("iframe").src = `http://localhost:${location.port}/payment`;
