// Loads the reports when they are wanted, under the name that they had when this page was released.
const release = new URLSearchParams(location.search).get("release");

document.querySelector("#reports").addEventListener("click", async () => {
  const { showReports } = await import(`./reports.${release}.js`);
  showReports(document.querySelector("#main"));
});
