// data-key="n" presses (or focuses, if it is a field) its element; data-key="g f" is G, then F.
// The sheet behind "?" lists what this page has, by data-key-label or the element's own words.
// Single keys are off in fields and dialogs, and can be turned off altogether (WCAG 2.1.4).
import { foldNav, remember } from "./shell.js";

const WAIT = 1200;
const sheet = document.getElementById("shortcuts");
const toggle = sheet.querySelector("[data-single-keys]");
let prefix = "";
let timer = 0;

export const isBegun = () => prefix !== ""; // the next key is its second

toggle.checked = !document.cookie.split("; ").includes("single_keys=off");
toggle.addEventListener("change", () => remember("single_keys", toggle.checked ? "on" : "off"));

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!toggle.checked || event.key.length !== 1) return;
  if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog:modal, .menu")) return;
  const keys = prefix + event.key.toLowerCase();
  clearTimeout(timer);
  prefix = "";
  if (keys === "[") return foldNav();
  const element = document.querySelector(`[data-key="${CSS.escape(keys)}"]`);
  if (element) {
    event.preventDefault();
    element.matches("input, textarea, select") ? element.focus() : element.click();
  } else if (document.querySelector(`[data-key^="${CSS.escape(keys)} "]`)) {
    prefix = `${keys} `;
    timer = setTimeout(() => (prefix = ""), WAIT);
  }
});

// Built when the sheet opens, because htmx may have changed the page.
sheet.addEventListener("beforetoggle", list);

function list() {
  const seen = new Map([["[", "Fold the navigation"]]);
  for (const element of document.querySelectorAll("[data-key], [data-key-note]")) {
    const page = element.querySelector(".label");
    const label = element.dataset.keyLabel ?? element.getAttribute("aria-label") ?? (page ? `Go to ${page.textContent}` : element.textContent);
    seen.set(element.dataset.key ?? element.dataset.keyNote, label.trim());
  }
  const rows = [...seen].map(([keys, label]) => row(keys, label));
  sheet.querySelector("[data-shortcut-list]").replaceChildren(...rows.flat());
}

function row(keys, label) {
  const term = Object.assign(document.createElement("dt"), { textContent: label });
  const value = document.createElement("dd");
  for (const key of keys.split(" ")) {
    value.append(Object.assign(document.createElement("kbd"), { textContent: key.toUpperCase() }));
  }
  return [term, value];
}
