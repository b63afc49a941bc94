// Runs. `#run/KEY` in the address opens one, so that a link to a run can be sent.
const PREFIX = "#run/";
const { texts, uses, runs } = JSON.parse(document.getElementById("runs").textContent);
const dialog = document.getElementById("run");
const folder = (path) => path.replace(/^results\//, ""); // the page lies in results/

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
