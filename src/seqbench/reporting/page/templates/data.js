// What stands behind the numbers, as the page carries it.
const { texts, groups, uses, runs, metrics, costs, models } = JSON.parse(document.getElementById("runs").textContent);

// The options of a run; `usual` is the default where the value is another.
const optionsOf = (key) => runs[key].options.flatMap((place) => {
  const [section, name, options] = groups[place];
  return options.map(([option, value, usual]) => ({ section, name, option, value, usual }));
});
