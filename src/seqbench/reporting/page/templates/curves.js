// The learning curve of a run.
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
