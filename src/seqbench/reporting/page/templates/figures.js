// Figures. Values of points on hover and with the arrow keys, and entries of the legend that hide what they name.
const REACH = 22; // units of the drawing from which a point is the one that is meant

const tip = element("div", { class: "tip", role: "status" });
const ring = drawn("circle", { class: "ring", r: 5 });
document.body.append(tip);

const putTip = () => { // over the ring, or under it where there is no room
  const box = ring.getBoundingClientRect();
  const left = Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 6;
  tip.style.left = `${Math.max(left, 8)}px`;
  tip.style.top = `${above > 4 ? above : box.bottom + 6}px`;
};

const showPoint = (svg, { name, x, y, text }) => {
  ring.setAttribute("cx", x);
  ring.setAttribute("cy", y);
  svg.append(ring);
  tip.replaceChildren(...(name ? [element("b", {}, name), " "] : []), text);
  putTip();
};

const hidePoint = () => {
  ring.remove();
  tip.replaceChildren();
};

addEventListener("scroll", () => { if (ring.isConnected) putTip(); }, { passive: true, capture: true });

const pointsOf = ({ columns, marks }) => marks.map(([name, heads, keys, at, ...values]) =>
  Array.from({ length: at.length / 2 }, (_, i) => ({
    name, keys, x: at[2 * i], y: at[2 * i + 1],
    text: columns[heads].map(([what, unit], k) => `${what} ${values[k][i]}${unit}`.trim()).join(" · "),
  })));

const withValues = (svg) => {
  let parsed; // when it is first used
  const marks = () => (parsed ??= pointsOf(JSON.parse(svg.dataset.values)));
  const hidden = new Set();
  const isShown = ([first]) => !first.keys.some((key) => hidden.has(key));
  let mark = 0, point = 0; // where the arrow keys stand

  const pointAt = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let nearest, least = REACH;
    for (const points of marks()) {
      if (!isShown(points)) continue;
      for (const one of points) {
        const distance = Math.hypot(one.x - at.x, one.y - at.y);
        if (distance < least) [nearest, least] = [one, distance];
      }
    }
    if (nearest) showPoint(svg, nearest);
    else hidePoint();
  };
  svg.addEventListener("pointermove", pointAt);
  svg.addEventListener("pointerdown", pointAt); // a tap
  svg.addEventListener("pointerleave", hidePoint);
  svg.addEventListener("blur", hidePoint);

  const stepTo = (by) => { // the next mark that is not hidden
    const shown = marks().flatMap((points, i) => (isShown(points) ? [i] : []));
    const place = shown.indexOf(mark);
    mark = shown[(Math.max(place, 0) + (place < 0 ? 0 : by) + shown.length) % shown.length];
    if (mark === undefined) return hidePoint();
    point = Math.min(point, marks()[mark].length - 1);
    showPoint(svg, marks()[mark][point]);
  };
  const moves = {
    ArrowRight: () => { if (++point < marks()[mark].length) stepTo(0); else { point = 0; stepTo(1); } },
    ArrowLeft: () => { if (--point >= 0) stepTo(0); else { point = Infinity; stepTo(-1); } },
    ArrowDown: () => stepTo(1),
    ArrowUp: () => stepTo(-1),
    Home: () => { point = 0; stepTo(0); },
    End: () => { point = Infinity; stepTo(0); },
    Escape: hidePoint,
  };
  svg.addEventListener("keydown", (event) => {
    if (event.target !== svg || !(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (marks()[mark] === undefined) mark = 0;
    moves[event.key]();
  });
  svg.addEventListener("focus", () => { if (svg.matches(":focus-visible")) stepTo(0); });
  svg.setAttribute("tabindex", "0");

  const toggle = (key) => {
    if (!hidden.delete(key)) hidden.add(key);
    for (const part of svg.querySelectorAll("[data-of]")) part.classList.toggle("off", part.dataset.of.split(" ").some((one) => hidden.has(Number(one))));
    for (const entry of svg.querySelectorAll(`[data-key="${key}"]`)) {
      entry.classList.toggle("pale", hidden.has(key));
      if (entry.hasAttribute("role")) entry.setAttribute("aria-pressed", String(!hidden.has(key)));
    }
    hidePoint();
  };
  for (const entry of svg.querySelectorAll("[data-key]")) {
    const key = Number(entry.dataset.key);
    entry.addEventListener("click", () => toggle(key));
    if (!entry.querySelector("text")) continue; // the line beside the name
    for (const [name, value] of Object.entries({ role: "button", tabindex: "0", "aria-pressed": "true" })) entry.setAttribute(name, value);
    entry.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle(key);
    });
  }
};

document.querySelectorAll("svg[data-values]").forEach(withValues);
