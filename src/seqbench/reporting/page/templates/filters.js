// Filtering. A choice in the form shows the rows whose `data-NAME` is the chosen one.
for (const form of document.querySelectorAll("form.filters")) {
  const table = document.getElementById(form.getAttribute("data-table")); // a select may hide `form.dataset`
  const rows = [...table.tBodies[0].rows];
  const count = form.querySelector("output");
  const apply = () => {
    const chosen = new FormData(form);
    const words = chosen.get("text").toLowerCase();
    let n = 0;
    for (const row of rows) {
      const fits = [...chosen].every(([name, value]) => name === "text" || value === "" || row.dataset[name] === value);
      row.hidden = !fits || !row.textContent.toLowerCase().includes(words);
      n += !row.hidden;
    }
    count.textContent = `${n} of ${rows.length} models`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
