// Copying. Without a script the text is there to be marked.
const copied = async (text, code) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // no clipboard for pages of this origin: copy as a reader would
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }
};

const withCopyButton = (box) => {
  const code = box.querySelector("code");
  const label = box.dataset.label ?? "Copy";
  const button = element("button", { type: "button", "aria-label": `Copy ${box.dataset.what}` }, label);
  const status = element("span", { class: "aside", role: "status" });
  button.addEventListener("click", async () => {
    const done = await copied(code.textContent, code);
    button.textContent = done ? "Copied" : "Marked";
    status.textContent = done ? "Copied" : "Marked; copy it with the keyboard";
    setTimeout(() => { button.textContent = label; status.textContent = ""; }, 2000);
  });
  box.append(button, status);
  return box;
};

const copyable = (text, what) => withCopyButton(element("div", { class: "copyable", "data-what": what },
  element("pre", { tabindex: "0" }, element("code", {}, text))));

document.querySelectorAll(".copyable").forEach(withCopyButton);
