// The menu marks the section that is read: the last whose top has passed a quarter of the screen.
const menu = document.querySelector("nav");
const marked = [...menu.querySelectorAll("a")].map((link) => [link, document.getElementById(decodeURIComponent(link.hash.slice(1)))]).filter(([, target]) => target);

// Near the end of the page the line moves down, so that the last sections have their turn; of
// several that are in sight there, it is the one that the reader has asked for.
const currentLink = () => {
  const left = document.documentElement.scrollHeight - innerHeight - scrollY;
  const end = Math.min(innerHeight, left + scrollY); // how far from the end the line begins to move
  const line = innerHeight * (left < end ? 1 - 0.75 * (left / end) : 0.25);
  const tops = marked.map(([link, target]) => [link, target.getBoundingClientRect().top]);
  const asked = tops.find(([link, top]) => left < end && link.hash === location.hash && top >= 0 && top < innerHeight);
  const passed = tops.filter(([, top]) => top <= line);
  return (asked ?? passed.reduce((last, one) => (one[1] >= last[1] ? one : last), [marked[0]?.[0], -Infinity]))[0];
};

const markSection = () => {
  const current = currentLink();
  for (const [link] of marked) {
    if (link !== current) link.removeAttribute("aria-current");
    else if (!link.hasAttribute("aria-current")) {
      link.setAttribute("aria-current", "location");
      const row = link.closest("nav > ol"); // scrolls where the menu is a single row
      const [box, own] = [row.getBoundingClientRect(), link.getBoundingClientRect()];
      if (own.left < box.left || own.right > box.right) row.scrollLeft += own.left - box.left - 16;
    }
  }
};

let isMarking = false;
addEventListener("scroll", () => {
  if (isMarking) return;
  isMarking = true;
  requestAnimationFrame(() => { isMarking = false; markSection(); });
}, { passive: true });
addEventListener("resize", markSection);
addEventListener("hashchange", markSection); // where the page cannot move any further
markSection();
