// What the scripts build of elements. All text reaches the page as text, never as HTML: names come from users.
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

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
