// The menu marks the section that is read: the last whose top has passed a quarter of the screen.
const menu = document.querySelector("nav");
const marked = [...menu.querySelectorAll("a")].map((link) => [link, document.getElementById(decodeURIComponent(link.hash.slice(1)))]).filter(([, target]) => target);

const markSection = () => {
  const passed = marked.map(([link, target]) => [link, target.getBoundingClientRect().top]).filter(([, top]) => top <= innerHeight / 4);
  const [current] = passed.reduce((last, one) => (one[1] >= last[1] ? one : last), [marked[0]?.[0], -Infinity]);
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
markSection();
