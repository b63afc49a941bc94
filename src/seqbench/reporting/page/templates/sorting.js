// Sorting. A cell's `data-value` is its number; cells without one are compared as words.
const valueOf = (row, column) => {
  const cell = row.cells[column];
  const value = cell.dataset.value ?? cell.textContent.trim();
  return cell.dataset.value === undefined || value === "" || isNaN(value) ? value : Number(value);
};

const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });

const isMissing = (value) => value === "" || value === "–";

const sortBy = (table, column, direction) => {
  const body = table.tBodies[0];
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [row, valueOf(row, column)]);
  rows.sort(([, a], [, b]) => isMissing(a) - isMissing(b) || sign * compare(a, b));
  body.append(...rows.map(([row]) => row));
  [...table.tHead.rows[0].cells].forEach((head, i) => {
    if (i === column) head.setAttribute("aria-sort", direction);
    else head.removeAttribute("aria-sort");
  });
  table.dispatchEvent(new Event("sorted"));
};

// Gives a heading the button that sorts by its column, wherever that is by then.
const sortable = (table, head) => {
  const button = element("button", { type: "button", class: "sort" }, ...head.childNodes);
  const first = head.classList.contains("number") && !head.classList.contains("low") ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  button.addEventListener("click", () => sortBy(table, head.cellIndex, head.getAttribute("aria-sort") === first ? other : first));
  head.append(button);
};

for (const table of document.querySelectorAll("table.sortable"))
  for (const head of table.tHead.rows[0].cells) sortable(table, head);
