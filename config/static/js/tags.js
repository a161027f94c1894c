// A tag of a row: its link filters, and here opens a menu of what else can be done with it.
import { announce } from "./announce.js";

const menu = document.getElementById("tag-menu");
const item = (name) => menu.querySelector(`[data-tag-does=${name}]`);
let shown = null;

function offer(name, address, text) {
  item(name).href = address;
  item(name).querySelector("span").textContent = text;
}

function place(chip) {
  const at = chip.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + height + 8 < innerHeight;
  Object.assign(menu.style, { positionArea: "none", inset: "auto", margin: "0" });
  menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-tag]");
  if (!chip || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { tag, without, groups, of } = chip.dataset;
  shown = tag;
  menu.querySelector("[data-tag-name]").textContent = tag;
  offer("f", chip.href, `Filter to ${tag}`);
  offer("x", without, `Exclude ${tag}`);
  offer("g", groups, `Group by ${of}`);
  menu.showPopover();
  place(chip);
  item("f").focus();
});

menu?.addEventListener("keydown", (event) => {
  if (!["f", "x", "c"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  item(event.key).click();
});

menu?.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-tag-does=c]")) return;
  menu.hidePopover();
  await navigator.clipboard?.writeText(shown); // there is none without https
  announce(navigator.clipboard ? "Copied" : `Not copied: ${shown}`);
});
