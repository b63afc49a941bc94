"use strict";
// What the page does beyond showing: sort and filter tables, and open the runs behind a number.
// All text reaches the page as text, never as HTML: names come from users.

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// Sorting. A cell's `data-value` is its number; cells without one are compared as words.
const valueOf = (row, column) => {
  const cell = row.cells[column];
  const value = cell.dataset.value ?? cell.textContent.trim();
  return cell.dataset.value === undefined || value === "" ? value : Number(value);
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
};

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = element("button", { type: "button", class: "sort" }, ...head.childNodes);
    const first = head.classList.contains("number") && !head.classList.contains("low") ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    button.addEventListener("click", () => sortBy(table, column, head.getAttribute("aria-sort") === first ? other : first));
    head.append(button);
  });
}

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

// Copying. Without a script the text is there to be marked.
const copied = async (text, code) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // no clipboard for pages of this origin: copy as a reader would
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }
};

const withCopyButton = (box) => {
  const code = box.querySelector("code");
  const button = element("button", { type: "button", "aria-label": `Copy ${box.dataset.what}` }, "Copy");
  const status = element("span", { class: "aside", role: "status" });
  button.addEventListener("click", async () => {
    const done = await copied(code.textContent, code);
    button.textContent = done ? "Copied" : "Marked";
    status.textContent = done ? "Copied" : "Marked; copy it with the keyboard";
    setTimeout(() => { button.textContent = "Copy"; status.textContent = ""; }, 2000);
  });
  box.append(button, status);
  return box;
};

const copyable = (text, what) => withCopyButton(element("div", { class: "copyable", "data-what": what },
  element("pre", { tabindex: "0" }, element("code", {}, text))));

document.querySelectorAll(".copyable").forEach(withCopyButton);

// Runs. `#run/KEY` in the address opens one, so that a link to a run can be sent.
const PREFIX = "#run/";
const { texts, uses, runs } = JSON.parse(document.getElementById("runs").textContent);
const dialog = document.getElementById("run");
const folder = (path) => path.replace(/^results\//, ""); // the page lies in results/

const facts = (pairs) =>
  element("dl", { class: "glossary" }, ...pairs.map(([key, value]) => element("div", {}, element("dt", {}, key), element("dd", {}, value))));

const tableOf = (heads, rows) =>
  element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((head, i) => element("th", { scope: "col", class: i ? "number" : "" }, head)))),
    element("tbody", {}, ...rows.map(([name, ...values]) => element("tr", {},
      element("th", { scope: "row" }, name), ...values.map((value) => element("td", { class: "number" }, value)))))));

const folded = (title, ...content) => element("details", {}, element("summary", {}, title), ...content);

const drawn = (name, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const curves = ({ epoch, train, val, best }) => {
  const [width, height, left, bottom] = [600, 190, 52, 24];
  const values = [...train, ...val].filter((value) => value !== null);
  if (!values.length) return element("p", {}, "No loss was finite.");
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const first = epoch[0], last = epoch[epoch.length - 1];
  const x = (e) => left + ((width - left - 12) * (e - first)) / (last - first || 1);
  const y = (v) => 10 + ((height - bottom - 14) * (high - v)) / (high - low || 1);
  const line = (series, name) => {
    const points = series.map((v, i) => (v === null ? "" : `${x(epoch[i]).toFixed(1)},${y(v).toFixed(1)}`)).filter(Boolean);
    return drawn("polyline", { points: points.join(" "), class: `curve ${name}` });
  };
  const label = (at, text, anchor) => drawn("text", { x: at[0], y: at[1], "text-anchor": anchor }, text);
  const short = (v) => Number(v.toPrecision(3)).toString();
  const chart = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Loss from epoch ${first} to ${last}: on val ${short(val[0] ?? NaN)} at first, ${short(val[val.length - 1] ?? NaN)} at last.` },
    drawn("path", { d: `M${left},8V${height - bottom}H${width - 10}`, class: "axis" }),
    line(train, "train"), line(val, "val"),
    label([left - 6, y(high) + 4], short(high), "end"), label([left - 6, y(low) + 4], short(low), "end"),
    label([left, height - 6], `epoch ${first}`, "start"), label([width - 12, height - 6], String(last), "end"));
  const kept = epoch.indexOf(best);
  if (kept >= 0 && val[kept] !== null) chart.append(drawn("circle", { cx: x(best), cy: y(val[kept]), r: 4 }));
  return element("figure", { class: "curves" }, chart, element("figcaption", {}, "Loss on val, pale on train; the dot is the epoch whose weights were kept."));
};

// Runs of one model: the same but for the seed and the fold.
const modelOf = (run) => [run.dataset, run.architecture, run.arm, run.labels].join("\n");

const used = (run) => {
  if (run.use === null) return []; // reads the truth, which new recordings have not
  const [, model] = run.files.find(([name]) => name === "model.safetensors");
  const [command, python] = uses[run.use].map((text) => text.replaceAll("{model}", model));
  return [
    element("h3", {}, "Use on new recordings"),
    element("p", { class: "explain" }, "The model of this run alone, in the folder that holds results/:"),
    copyable(command, "the command"),
    folded("In Python", copyable(python, "the lines of Python")),
  ];
};

const show = (key) => {
  const run = runs[key];
  if (run === undefined) return dialog.close();
  const alike = Object.entries(runs).filter(([, other]) => modelOf(other) === modelOf(run));
  const link = ([, path]) => element("a", { href: encodeURI(folder(path)) }, path);
  const choices = element("p", { class: "choices" }, ...alike.map(([other, { of, seed, headline }]) => {
    const choice = element("a", { href: PREFIX + encodeURI(other), class: "chip" }, `${of === run.dataset ? "" : `${of}, `}seed ${seed} `, element("b", {}, headline));
    if (other === key) choice.setAttribute("aria-current", "true");
    return choice;
  }));
  document.getElementById("run-title").textContent = `${run.architecture} · ${run.arm}`;
  document.getElementById("run-body").replaceChildren(
    element("p", { class: "explain" }, `On ${run.of} with ${run.labels} of the labels, seed ${run.seed}: ${run.metric} ${run.headline} on test.`),
    choices,
    ...(run.curve ? [curves(run.curve)] : []),
    element("h3", {}, "Scores"), tableOf(["metric", "test", "95 % interval", "val"], run.scores),
    element("h3", {}, "Cost"), facts(run.cost),
    ...used(run),
    element("h3", {}, "Again"),
    element("p", { class: "explain" }, "From the same commit, in the folder that holds results/, this trains and scores the run anew."),
    copyable(run.command, "the command"),
    element("h3", {}, "Files and logs"),
    element("ul", { class: "files" }, ...[...run.files, ...run.logs].map((file) => element("li", {}, link(file)))),
    element("h3", {}, "Settings"),
    ...run.settings.map(([step, place]) => folded(step, element("pre", {}, element("code", {}, texts[place])))),
    folded("versions, machine and commit", element("pre", {}, element("code", {}, texts[run.provenance]))),
  );
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
};

const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % in an address that somebody typed
  }
};

const follow = () => {
  if (location.hash.startsWith(PREFIX)) show(decoded(location.hash.slice(PREFIX.length)));
  else if (dialog.open) dialog.close();
};
dialog.addEventListener("close", () => {
  if (location.hash.startsWith(PREFIX)) history.replaceState(null, "", location.pathname + location.search);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
document.getElementById("run-close").addEventListener("click", () => dialog.close());
addEventListener("hashchange", follow);
follow();

// A number in a row opens what its name links to, so that every number leads to its runs.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-run]");
  if (row && event.target.closest("td") && !event.target.closest("a, button") && getSelection().isCollapsed) location.hash = PREFIX + encodeURI(row.dataset.run);
});
