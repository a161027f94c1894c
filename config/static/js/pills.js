// The terms of a search as pills before the field. What is asked is still one text, `q`: the
// pills and what stands in the field, with a space between them. A text is only ever cut where
// a space stood outside quotes and brackets, so its meaning stays, and only once the server has
// read it; one with an OR that no brackets hold is one pill.

import { announce } from "./announce.js";
import { walkChips } from "./keys.js";
import { words } from "./words.js";

const input = document.getElementById("q");
const list = document.getElementById("pills");
const blank = document.getElementById("pill");
const whole = Object.assign(document.createElement("input"), { type: "hidden", name: "q" });
const rules = JSON.parse(list?.dataset.rules ?? "{}");
const KEY = /^(-?)(@?[^\s:()"]+)(:.*)$/s;

// The terms that all hold, or null for a text that is not finished.
function terms(text) {
  const all = words(text);
  if (!all || ["AND", "OR", "NOT"].includes(all.at(-1)) || ["AND", "OR"].includes(all[0])) return null;
  if (all.includes("OR")) return [text.trim()];
  const found = [];
  let denied = "";
  for (const word of all) {
    if (word === "NOT") denied += "NOT ";
    else if (word !== "AND") found.push(denied + word), denied = "";
  }
  return found;
}

const pills = () => [...list.children];
const textOf = (pill) => pill.dataset.text;

function sync() {
  whole.value = [...pills().map(textOf), input.value.trim()].filter(Boolean).join(" ");
  input.placeholder = pills().length ? "Add a filter: key:value, -exclude, OR" : input.dataset.hint;
  input.parentElement.classList.toggle("has-pills", pills().length > 0);
}

function pill(text) {
  const node = blank.content.firstElementChild.cloneNode(true);
  const edit = node.querySelector("[data-edits]");
  const shown = text.replace(/(?<=@ticket\.rule:)\S+$/, (id) => rules[id] ?? id); // a rule by its name
  const [, sign, key, rest] = KEY.exec(shown) ?? [];
  if (key) edit.append(sign, Object.assign(document.createElement("b"), { textContent: key }), rest);
  else edit.append(shown);
  node.dataset.text = text;
  edit.setAttribute("aria-label", `Edit ${shown}`);
  node.querySelector("[data-removes]").setAttribute("aria-label", `Remove ${shown}`);
  return node;
}

// Whatever the server could read becomes pills.
export function makePills() {
  const text = [...pills().map(textOf), input.value.trim()].filter(Boolean).join(" ");
  const found = terms(text);
  if (!found) return;
  const isSame = found.length === pills().length && pills().every((node, at) => textOf(node) === found[at]);
  if (!isSame) list.replaceChildren(...found.map(pill)); // the focus may be on one of them
  input.value = "";
  sync();
  list.scrollLeft = list.scrollWidth;
}

function submit() {
  sync();
  input.focus();
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function drop(node) {
  node.remove();
  announce(node.querySelector("[data-removes]").getAttribute("aria-label").replace("Remove", "Removed"));
  submit();
}

function edit(node) {
  node.remove();
  input.value = [textOf(node), input.value.trim()].filter(Boolean).join(" ");
  sync();
  input.focus();
}

if (input) {
  input.dataset.hint = input.placeholder;
  input.removeAttribute("name");
  input.before(whole);
  whole.value = input.value.trim();
  if (!document.querySelector("#query-error .error")) makePills();
  sync();
  for (const name of ["input", "change"]) addEventListener(name, ({ target }) => target === input && sync(), true);
  list.addEventListener("click", ({ target }) => {
    const node = target.closest("li");
    if (target.closest("[data-removes]")) drop(node);
    else if (target.closest("[data-edits]")) edit(node);
  });
  const buttons = () => [...list.querySelectorAll("[data-removes]")];
  list.addEventListener("keydown", walkChips(input, buttons, (button) => drop(button.closest("li"))));
}
