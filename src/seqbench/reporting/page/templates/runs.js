// Runs. `#run/KEY` in the address opens one, so that a link to a run can be sent.
const PREFIX = "#run/";
const dialog = document.getElementById("run");
const folder = (path) => path.replace(/^results\//, document.body.dataset.results); // as seen from the page
const link = (path) => element("a", { href: encodeURI(folder(path)) }, path);

// Runs of one model: the same but for the seed and the fold.
const modelOf = (run) => [run.dataset, run.architecture, run.arm, run.labels].join("\n");

const used = (run) => {
  const { model } = run;
  if (model === null) return []; // is not beside the page
  const file = element("p", { class: "explain" }, "Its file: ", link(model));
  if (run.use === null) return [element("h3", {}, "Its model"), file]; // reads the truth, which new recordings have not
  const [command, python] = uses[run.use].map((text) => text.replaceAll("{model}", model));
  return [
    element("h3", {}, "Use this model"), file,
    element("p", { class: "explain" }, "On new recordings, in the folder that holds results/:"),
    copyable(command, "the command"),
    copyable(python, "the lines of Python"),
  ];
};

const changedOptions = (key) => {
  const changed = optionsOf(key).filter(({ usual }) => usual !== undefined);
  if (!changed.length) return [element("p", { class: "explain" }, "All options have their defaults.")];
  return [
    element("h3", {}, "Options that differ from the default"),
    tableOf(["option", "value", "default"], changed.map(({ section, name, option, value, usual }) =>
      [[section, name, option].filter(Boolean).join("."), value, usual === "" ? "–" : usual])),
  ];
};

const show = (key, order) => {
  const run = runs[key];
  const alike = Object.entries(runs).filter(([, other]) => modelOf(other) === modelOf(run));
  const choices = element("p", { class: "choices" }, ...alike.map(([other, { of, seed, headline }]) => {
    const choice = element("a", { href: PREFIX + encodeURI(other), class: "chip" }, `${of === run.dataset ? "" : `${of}, `}seed ${seed} `, element("b", {}, headline));
    if (other === key) choice.setAttribute("aria-current", "true");
    return choice;
  }));
  const place = order.findIndex((other) => modelOf(runs[other]) === modelOf(run));
  const step = (to, text) => (place < 0 || order[to] === undefined ? [] : [element("a", { href: PREFIX + encodeURI(order[to]), class: "step" }, text)]);
  return {
    title: `${run.architecture} · ${run.arm}`,
    content: [
      element("p", { class: "steps" }, ...step(place - 1, "← previous model"), ...step(place + 1, "next model →")),
      element("p", { class: "explain" }, `On ${run.of} with ${run.labels} of the labels, seed ${run.seed}: ${run.metric} ${run.headline} on test.`),
      choices,
      ...changedOptions(key),
      ...used(run),
      ...(run.curve ? [element("h3", {}, "Learning curve"), curves([run.curve])] : []),
      element("h3", {}, "Scores"), tableOf(["metric", "test", "95 % interval", "val"], run.scores),
      element("h3", {}, "Cost"), facts(run.cost),
      element("h3", {}, "Again"),
      element("p", { class: "explain" }, "From the same commit, in the folder that holds results/, this trains and scores the run anew."),
      copyable(run.command, "the command that repeats the run"),
      element("h3", {}, "Files and logs"),
      element("ul", { class: "files" }, ...run.files.map((path) => element("li", {}, link(path)))),
      element("h3", {}, "All settings"),
      ...run.settings.map(([step, place]) => folded(step, element("pre", { tabindex: "0" }, element("code", {}, texts[place])))),
      folded("versions, machine and commit", element("pre", { tabindex: "0" }, element("code", {}, texts[run.provenance]))),
    ],
  };
};

const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % in an address that somebody typed
  }
};

const filters = document.querySelector("form.filters");
const listed = allModels(filters, document.getElementById("all-models"));

// What the address asks the panel to show; undefined: nothing, or what is not known here.
const requested = () => {
  const { hash } = location;
  if (hash.startsWith(PREFIX)) {
    const key = decoded(hash.slice(PREFIX.length));
    return Object.hasOwn(runs, key) ? show(key, listed.rows().map((row) => row.key)) : undefined;
  }
  if (!hash.startsWith(TOGETHER)) return undefined;
  const keys = [...new Set(decoded(hash.slice(TOGETHER.length)).split(","))].filter((key) => Object.hasOwn(runs, key)).slice(0, MOST_COMPARED);
  return keys.length > 1 ? together(keys) : undefined;
};

const follow = () => {
  const panel = requested();
  if (panel === undefined) return dialog.close();
  document.getElementById("run-title").textContent = panel.title;
  document.getElementById("run-body").replaceChildren(...panel.content);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
};
dialog.addEventListener("close", () => {
  if ([PREFIX, TOGETHER].some((prefix) => location.hash.startsWith(prefix))) history.replaceState(null, "", location.pathname + location.search);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
document.getElementById("run-close").addEventListener("click", () => dialog.close());
addEventListener("hashchange", follow);
follow();

// A number in a row opens what its name links to, so that every number leads to its runs.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-run]");
  if (row && event.target.closest("td") && !event.target.closest("a, button, input, label, summary") && getSelection().isCollapsed) location.hash = PREFIX + encodeURI(row.dataset.run);
});
