// Several runs side by side. `#compare/KEY,KEY` in the address opens them.
const TOGETHER = "#compare/";

const nameOf = (run, among) => [
  among.every(({ of }) => of === run.of) ? "" : `${run.of}: `, `${run.architecture} · ${run.arm}`,
  among.every(({ labels }) => labels === run.labels) ? "" : `, ${run.labels} of the labels`, `, seed ${run.seed}`,
].join("");

// Rows of a table with a line for each name that any of several lists has; the lists are of pairs.
const aligned = (lists) => {
  const of = lists.map((pairs) => new Map(pairs));
  const names = [...new Set(lists.flatMap((pairs) => pairs.map(([name]) => name)))];
  return names.map((name) => [name, ...of.map((one) => one.get(name) ?? "–")]);
};

// Whether those that have a value have the same; several must have one to differ in it.
const isEqual = ([, ...values]) => new Set(values.filter((value) => value !== "–")).size < 2;
const isOfAll = ([, ...values]) => !values.includes("–");

const together = (keys) => {
  const chosen = keys.map((key) => runs[key]);
  const names = chosen.map((run) => nameOf(run, chosen));
  const heads = names.map((name, i) => element("span", { class: `legend of-${i}` }, name));
  const trained = chosen.flatMap(({ curve }, i) => (curve ? [{ name: names[i], colour: i, ...curve }] : []));
  const settings = aligned(chosen.map((run, i) => [
    ["dataset", run.of], ["architecture", run.architecture], ["arm", run.arm], ["labels", run.labels], ["seed", String(run.seed)],
    ...optionsOf(keys[i]).map(({ section, option, value }) => [section === "architectures" || section === "baseline_options" ? option : `${section}.${option}`, value]),
  ]));
  const other = settings.filter((row) => !isEqual(row));
  const equal = settings.filter((row) => isEqual(row) && isOfAll(row));
  const partial = settings.filter((row) => isEqual(row) && !isOfAll(row));
  const means = chosen.map((run) => {
    const { headline, scores } = models[Object.keys(models).find((key) => modelOf(runs[key]) === modelOf(run))];
    return scores[headline]?.slice(1, 4).filter(Boolean).join(" ") ?? "–";
  });
  const scores = aligned(chosen.map((run) => run.scores.map(([name, test, interval]) => [name, interval === "–" ? test : `${test} ${interval}`])));
  const table = (first, rows) => tableOf([first, ...heads.map((head) => head.cloneNode(true))], rows);
  const one = new Set(chosen.map(({ of }) => of)).size === 1;
  return {
    title: `${keys.length} runs compared`,
    content: [
      element("p", { class: "choices" }, ...keys.map((key, i) => element("a", { href: PREFIX + encodeURI(key), class: `chip legend of-${i}` }, names[i]))),
      element("p", { class: "explain" }, [
        keys.every((key) => key in models) ? "Of each model the run that is highest on val." : "", one ? "" : "Losses of different datasets have scales of their own.",
      ].join(" ")),
      trained.length ? curves(trained) : element("p", {}, "None of them has a learning curve: baselines are fitted, not trained in epochs."),
      element("h3", {}, "Settings that differ"),
      other.length ? table("option", other) : element("p", {}, "None."),
      ...(partial.length ? [folded(`${partial.length} settings that not all of them have`, table("option", partial))] : []),
      folded(`${equal.length} settings that are equal`, facts(equal.map(([name, value]) => [name, value]))),
      element("h3", {}, "Scores on test"), table("metric", [["mean over the runs of the model", ...means], ...scores]),
      element("h3", {}, "Cost"), table("cost", aligned(chosen.map(({ cost }) => cost))),
    ],
  };
};
