// Learning curves of one or several runs; a pointer or the arrow keys show the values of an epoch.
const LARGEST_RATIO = 30; // of two losses on a linear scale; beyond, it is logarithmic

const short = (value) => {
  if (value === null || value === undefined) return "–";
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1).replace("-", "−") : Number(value.toPrecision(3)).toString();
};

const nearest = (epochs, epoch) => epochs.reduce((best, one, i) => (Math.abs(one - epoch) < Math.abs(epochs[best] - epoch) ? i : best), 0);

const curves = (series) => {
  const [width, height, left, bottom] = [600, 200, 52, 24];
  const values = series.flatMap(({ train, val }) => [...train, ...val]).filter((value) => value !== null);
  if (!values.length) return element("p", {}, "No loss was finite.");
  const epochs = [...new Set(series.flatMap(({ epoch }) => epoch))].sort((a, b) => a - b);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isLogarithmic = low > 0 && high / low > LARGEST_RATIO;
  const scale = isLogarithmic ? Math.log10 : (value) => value;
  const [first, last] = [epochs[0], epochs[epochs.length - 1]];
  const x = (epoch) => left + ((width - left - 12) * (epoch - first)) / (last - first || 1);
  const y = (value) => 10 + ((height - bottom - 14) * (scale(high) - scale(value))) / (scale(high) - scale(low) || 1);
  const line = (epoch, losses, kind) => {
    const points = losses.map((value, i) => (value === null ? "" : `${x(epoch[i]).toFixed(1)},${y(value).toFixed(1)}`)).filter(Boolean);
    return drawn("polyline", { points: points.join(" "), class: `curve ${kind}` });
  };
  const label = (at, text, anchor) => drawn("text", { x: at[0], y: at[1], "text-anchor": anchor }, text);
  const cursor = drawn("path", { class: "cursor" });
  const slider = drawn("rect", { x: left, y: 0, width: width - left, height: height - bottom, class: "pointed", tabindex: 0, role: "slider", "aria-label": "Epoch", "aria-valuemin": first, "aria-valuemax": last });
  const chart = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Loss from epoch ${first} to ${last}` },
    drawn("path", { d: `M${left},8V${height - bottom}H${width - 10}`, class: "axis" }),
    ...series.map(({ epoch, train, val, best, colour = 0 }) => {
      const kept = epoch.indexOf(best);
      const dot = kept >= 0 && val[kept] !== null ? [drawn("circle", { cx: x(best), cy: y(val[kept]), r: 4 })] : [];
      return drawn("g", { class: `of-${colour}` }, line(epoch, train, "train"), line(epoch, val, "val"), ...dot);
    }),
    label([left - 6, y(high) + 4], short(high), "end"), label([left - 6, y(low) + 4], short(low), "end"),
    label([left, height - 6], `epoch ${first}`, "start"), label([width - 12, height - 6], String(last), "end"),
    cursor, slider);
  const readout = element("p", { class: "readout" });

  // Values of each run at an epoch; without one, of the epoch whose weights were kept.
  const at = (epoch) => {
    const found = series.map(({ name, epoch: own, train, val, score, metric, best, colour = 0 }) => {
      const place = nearest(own, epoch ?? best ?? own[own.length - 1]);
      const text = `epoch ${own[place]}${own[place] === best ? ", kept" : ""}: loss ${short(val[place])} on val, ${short(train[place])} on train${score.length ? `; ${metric} ${short(score[place])} on val` : ""}`;
      return element("span", { class: `of-${colour}` }, series.length > 1 ? `${name}, ${text}` : text);
    });
    readout.replaceChildren(...found);
    cursor.setAttribute("d", epoch === null ? "" : `M${x(epoch)},8V${height - bottom}`);
    slider.setAttribute("aria-valuenow", epoch ?? series[0].best ?? last);
    slider.setAttribute("aria-valuetext", found.map((one) => one.textContent).join("; "));
  };
  let place = nearest(epochs, series[0].best ?? last);
  const move = (to) => at(epochs[(place = Math.max(0, Math.min(epochs.length - 1, to)))]);
  slider.addEventListener("pointermove", (event) => {
    const box = slider.getBoundingClientRect();
    move(nearest(epochs, first + ((last - first) * (event.clientX - box.left)) / (box.width * (1 - 12 / (width - left)))));
  });
  slider.addEventListener("pointerleave", () => at(null));
  slider.addEventListener("blur", () => at(null));
  slider.addEventListener("keydown", (event) => {
    const to = { ArrowRight: place + 1, ArrowUp: place + 1, ArrowLeft: place - 1, ArrowDown: place - 1, Home: 0, End: epochs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  });
  at(null);
  return element("figure", { class: "curves" }, chart, readout, element("figcaption", {}, `Loss on val, pale on train${isLogarithmic ? ", on a logarithmic scale" : ""}; a dot is the epoch whose weights were kept.`));
};
