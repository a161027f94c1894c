// The query bar as a combobox: suggestions for the word at the caret. Tab completes, Enter
// searches unless one is pointed at. The text stays one plain field.
import { announce } from "./announce.js";

const input = document.getElementById("q");
const popup = document.getElementById("suggestions");
const list = document.getElementById("suggestion-list");
const WORD = /[^\s()"]*(?:"[^"]*)?$/;
let active = -1;
let timer = 0;
let latest = 0;

function element(name, className, text) {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function word() {
  return WORD.exec(input.value.slice(0, input.selectionStart))[0];
}

function option({ text, hint }, index, typed) {
  const node = element("li", "option mono", "");
  node.id = `suggestion-${index}`;
  node.dataset.text = text;
  node.setAttribute("role", "option");
  node.setAttribute("aria-selected", "false");
  const at = text.toLowerCase().indexOf(typed.toLowerCase());
  const term = element("span", "", at < 0 ? text : "");
  if (at >= 0) term.append(text.slice(0, at), element("mark", "", text.slice(at, at + typed.length)), text.slice(at + typed.length));
  node.append(term, element("span", "num", hint));
  return node;
}

async function suggest() {
  const typed = word();
  const turn = ++latest;
  if (!typed) return close();
  const answer = await fetch(`${popup.dataset.suggest}?${new URLSearchParams({ typed })}`);
  if (!answer.ok || turn !== latest || document.activeElement !== input) return;
  const { suggestions } = await answer.json();
  const found = suggestions.filter(({ text }) => text !== typed);
  if (turn !== latest) return;
  if (!found.length) return close();
  list.replaceChildren(...found.map((each, index) => option(each, index, typed)));
  popup.hidden = false;
  input.setAttribute("aria-expanded", "true");
  point(-1);
  announce(`${found.length} suggestion${found.length === 1 ? "" : "s"}`);
}

function close() {
  latest++;
  clearTimeout(timer);
  popup.hidden = true;
  active = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function point(index) {
  list.children[active]?.setAttribute("aria-selected", "false");
  active = Math.max(-1, Math.min(index, list.children.length - 1));
  const node = list.children[active];
  if (!node) return input.removeAttribute("aria-activedescendant");
  node.setAttribute("aria-selected", "true");
  node.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", node.id);
}

// A key that waits for its value goes on suggesting; anything else is searched for.
function complete(node) {
  const caret = input.selectionStart;
  const start = caret - word().length;
  const waits = node.dataset.text.endsWith(":");
  input.setRangeText(node.dataset.text + (waits ? "" : " "), start, caret, "end");
  close();
  if (waits) suggest();
  else input.dispatchEvent(new Event("change", { bubbles: true }));
}

if (input) {
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) input.setAttribute(name, value);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, 120);
  });
  input.addEventListener("blur", close);
  popup.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const node = target.closest("[role=option]");
    if (node) complete(node);
  });
  input.addEventListener("keydown", (event) => {
    const { key } = event;
    const down = key === "ArrowDown";
    if (popup.hidden) {
      if (down) { event.preventDefault(); suggest(); }
      return;
    }
    if (down || key === "ArrowUp") point(active + (down ? 1 : -1));
    else if (key === "Enter" && active >= 0) complete(list.children[active]);
    else if (key === "Tab" && !event.shiftKey) complete(list.children[Math.max(active, 0)]);
    else if (key === "Escape") close();
    else if (key === "Enter") return close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
