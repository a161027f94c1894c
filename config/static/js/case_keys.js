// In the list of cases: X selects the row one is at, Shift X all up to it; S, A and P open a menu
// for the selected cases, or for that row alone.
import { selectRange } from "./selection.js";

const BOX = "#bulk input[name=case]";
const FIELDS = "input:not([type=checkbox]), textarea, select, dialog:modal, .menu";
const singleKeys = document.querySelector("[data-single-keys]");
const boxes = () => [...document.querySelectorAll(BOX)];
const here = () => document.activeElement.closest("tr")?.querySelector(BOX);

function open(key) {
  if (!boxes().some((box) => box.checked)) here()?.click();
  if (boxes().some((box) => box.checked)) document.querySelector(`#bulk [data-key=${key}]`).click();
}

document.addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (!document.getElementById("bulk") || ctrlKey || metaKey || altKey || !singleKeys.checked) return;
  if (target.closest(FIELDS) || !["x", "X", "s", "a", "p"].includes(key)) return;
  if ("sap".includes(key) && !document.querySelector(`#bulk [data-key=${key}]`)) return;
  event.preventDefault();
  if (key === "x") here()?.click();
  else if (key === "X") here() && selectRange(here());
  else open(key);
}, true); // before the page's keys, which know no rows
