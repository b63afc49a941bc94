// All models: search and filters, the choice of metric and columns, the rows as CSV, and which
// models are ticked to be compared. The address keeps what was chosen, so that it can be sent.
const MOST_COMPARED = 4;

// A row of the table, and the run that stands for it.
const modelRow = (row) => {
  const key = row.dataset.run;
  const words = row.textContent.toLowerCase();
  const options = new Map(optionsOf(key).map(({ section, option, value }) => [`${section}.${option}`, value]));
  const cells = { metric: row.querySelector(".of-metric"), score: row.querySelector(".of-score"), val: row.querySelector(".of-val") };
  const tick = element("input", { type: "checkbox", class: "tick", "aria-label": `Compare ${runs[key].architecture} ${runs[key].arm} on ${runs[key].dataset}, ${runs[key].labels} of the labels` });
  row.cells[0].prepend(tick);
  return { key, row, words, options, cells, tick, ...models[key], first: [cells.metric, cells.score, cells.val].map((cell) => [...cell.childNodes]), values: [cells.score.dataset.value, cells.val.dataset.value] };
};

// What a model may be asked for beside its scores: costs, and options in which models differ.
const choosable = (rows) => {
  const of = new Map();
  for (const { options } of rows) for (const name of options.keys()) if (!name.startsWith("datasets.")) of.set(name, new Set());
  for (const { options } of rows) for (const [name, values] of of) if (options.has(name)) values.add(options.get(name));
  const differ = [...of].filter(([, values]) => values.size > 1).map(([name]) => name).sort();
  return [
    ...costs.map(([name, label], i) => ({ name, label, of: (row) => row.costs[i] ?? [null, "–"] })).filter(({ of }) => rows.some((row) => of(row)[0] !== null)),
    ...differ.map((name) => ({ name, label: name.replace(/^(architectures|baseline_options)\./, ""), of: (row) => {
      const value = row.options.get(name);
      return value === undefined ? [null, "–"] : [value !== "" && isFinite(value) ? Number(value) : value, value];
    } })),
  ].filter(({ name }) => !["train_cpu_s", "n_parameters"].includes(name)); // stand in the table already
};

const showMetric = ({ cells, scores, first, values }, name) => {
  const found = scores[name];
  if (name === "") {
    [cells.metric, cells.score, cells.val].forEach((cell, i) => cell.replaceChildren(...first[i]));
    [cells.score.dataset.value, cells.val.dataset.value] = values;
    return;
  }
  const [mean, text, spread, interval, onVal, textOnVal] = found ?? [null, "–", "", "", null, "–"];
  cells.metric.textContent = metrics[name][0];
  cells.score.replaceChildren(text, ...[spread, interval].filter(Boolean).map((one) => element("small", {}, ` ${one}`)));
  cells.val.textContent = textOnVal;
  cells.score.dataset.value = mean ?? "";
  cells.val.dataset.value = onVal ?? "";
};

// The best of each dataset among rows, by the metric that is shown; equals share the place.
const bestRows = (rows, metric) => {
  const merit = ({ headline, scores }) => {
    const name = metric || headline;
    const value = scores[name]?.[0] ?? null;
    const better = metrics[name][1];
    return value === null ? null : better === "higher" ? value : better === "zero" ? -Math.abs(value) : -value;
  };
  const best = new Map();
  for (const one of rows) {
    const [own, dataset] = [merit(one), one.row.dataset.dataset];
    if (own !== null && !one.row.dataset.ceiling && own > (best.get(dataset) ?? -Infinity)) best.set(dataset, own);
  }
  return rows.filter((one) => !one.row.dataset.ceiling && merit(one) === best.get(one.row.dataset.dataset));
};

// A cell that no spreadsheet takes for a formula, as in the tables of the report; numbers are none.
const plainCell = (cell) => (/^[=+\-@\t\r]/.test(cell) && isNaN(cell) ? `'${cell}` : cell);
const quotedCell = (cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const asCsv = (rows) => rows.map((cells) => cells.map((cell) => quotedCell(plainCell(cell))).join(",")).join("\r\n");

const allModels = (form, table) => {
  const rows = [...table.tBodies[0].rows].map(modelRow);
  const heads = table.tHead.rows[0];
  const columns = choosable(rows);
  const [count, link, button] = ["output", "a.rows", "button.compare"].map((selector) => form.querySelector(selector));
  const empty = document.querySelector("#models .empty");
  const unknown = [];

  form.querySelector("fieldset").append(...columns.map(({ name, label }) =>
    element("label", {}, element("input", { type: "checkbox", name: "column", value: name }), ` ${label}`)));

  const showColumns = (chosen) => {
    const shown = [...heads.cells].map((head) => head.dataset.column).filter(Boolean);
    for (const name of shown.filter((one) => !chosen.includes(one))) {
      const at = [...heads.cells].findIndex((head) => head.dataset.column === name);
      for (const { row } of rows) row.cells[at].remove();
      heads.cells[at].remove();
    }
    for (const { name, label, of } of columns.filter((one) => chosen.includes(one.name) && !shown.includes(one.name))) {
      heads.append(element("th", { scope: "col", class: "number low", "data-column": name }, label));
      for (const one of rows) {
        const [value, text] = of(one);
        one.row.append(element("td", { class: "number", "data-value": value ?? "" }, text));
      }
      sortable(table, heads.cells[heads.cells.length - 1]);
    }
  };

  const shownRows = () => {
    const byKey = new Map(rows.map((one) => [one.row, one]));
    return [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => byKey.get(row)); // as sorted
  };

  const csv = () => {
    const value = (cell) => cell.dataset.value ?? cell.textContent.replace(/\s+/g, " ").trim();
    const names = new FormData(form).getAll("column");
    const chosen = columns.filter(({ name }) => names.includes(name));
    const named = ["dataset", "task", "architecture", "arm", "labels"];
    return asCsv([
      [...named, "metric", "test", "val", "n", "train_cpu_s", "n_parameters", ...chosen.map(({ name }) => name)],
      ...shownRows().map((one) => [
        ...named.map((name) => one.row.dataset[name]), one.cells.metric.textContent, value(one.cells.score), value(one.cells.val),
        one.n, ...["train_cpu_s", "n_parameters"].map((name) => String(one.costs[costs.findIndex(([key]) => key === name)]?.[0] ?? "")),
        ...chosen.map(({ of }) => String(of(one)[0] ?? "")),
      ]),
    ]);
  };

  const remember = () => {
    const chosen = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    const head = [...heads.cells].find((one) => one.hasAttribute("aria-sort"));
    if (head) chosen.set("sort", `${head.getAttribute("aria-sort") === "descending" ? "-" : ""}${head.textContent}`);
    const query = chosen.toString();
    history.replaceState(history.state, "", `${location.pathname}${query && `?${query}`}${location.hash}`);
  };

  const apply = () => {
    const chosen = new FormData(form);
    const words = chosen.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    const filters = [...chosen].filter(([name, value]) => value !== "" && !["text", "show", "metric", "column"].includes(name));
    const metric = chosen.get("metric");
    for (const one of rows) showMetric(one, metric);
    showColumns(chosen.getAll("column"));
    let fit = rows.filter(({ row, words: own }) => filters.every(([name, value]) => row.dataset[name] === value) && words.every((word) => own.includes(word)));
    if (metric !== "") fit = fit.filter(({ scores }) => metric in scores);
    if (chosen.get("show") === "selected") fit = fit.filter(({ row }) => row.dataset.selected);
    if (chosen.get("show") === "best") fit = bestRows(fit, metric);
    const kept = new Set(fit);
    for (const one of rows) one.row.hidden = !kept.has(one);
    empty.hidden = fit.length > 0;
    link.hidden = fit.length === 0;
    count.textContent = `${fit.length} of ${rows.length} models${unknown.length ? `; not known here: ${unknown.join(", ")}` : ""}`;
  };

  const ticked = () => rows.filter(({ tick }) => tick.checked);
  const countTicked = () => {
    const n = ticked().length;
    button.disabled = n < 2;
    for (const { tick } of rows) tick.disabled = n >= MOST_COMPARED && !tick.checked;
  };

  // From the address, before anything is shown.
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of asked) {
    if (name === "sort") continue;
    const control = form.elements[name];
    const box = name === "column" && form.querySelector(`[name=column][value="${CSS.escape(value)}"]`);
    if (box) box.checked = true;
    else if (control instanceof HTMLInputElement) control.value = value;
    else if (control instanceof HTMLSelectElement && [...control.options].some((one) => one.value === value || one.text === value)) control.value = value;
    else unknown.push(`${name}=${value}`);
  }
  form.addEventListener("input", () => { unknown.length = 0; apply(); remember(); });
  form.addEventListener("reset", () => setTimeout(() => {
    for (const { tick } of rows) tick.checked = false;
    countTicked();
    unknown.length = 0;
    apply();
    remember();
  }));
  form.addEventListener("submit", (event) => event.preventDefault());
  link.addEventListener("click", () => link.setAttribute("href", `data:text/csv;charset=utf-8,${encodeURIComponent(csv())}`));
  button.addEventListener("click", () => { location.hash = TOGETHER + ticked().map(({ key }) => encodeURI(key)).join(","); });
  table.addEventListener("change", countTicked);
  table.addEventListener("sorted", remember);
  form.hidden = false;
  countTicked();
  apply();
  const by = asked.get("sort");
  const head = by && [...heads.cells].findIndex((one) => one.textContent === by.replace(/^-/, ""));
  if (head >= 0 && by) sortBy(table, head, by.startsWith("-") ? "descending" : "ascending");
  return { rows: shownRows };
};
