// A value of a row: its link filters, and here opens a menu of what else can be done with it.
import { announce } from "./announce.js";

const menu = document.getElementById("value-menu");
const item = (name) => menu.querySelector(`[data-value-does=${name}]`);
let shown = "";

function offer(name, address, text) {
  item(name).href = address;
  item(name).querySelector(".clip").textContent = text;
}

// The link ends with the term: the same search without it has a sign before.
function excluding({ href, dataset }) {
  const address = new URL(href);
  const query = address.searchParams.get("q");
  address.searchParams.set("q", `${query.slice(0, query.length - dataset.term.length)}-${dataset.term}`);
  return address;
}

function place(value) {
  const at = value.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + height + 8 < innerHeight;
  Object.assign(menu.style, { positionArea: "none", inset: "auto", margin: "0" });
  menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}

document.addEventListener("click", (event) => {
  const value = event.target.closest("[data-term]");
  if (!value || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { term, of } = value.dataset;
  shown = value.title;
  menu.querySelector("[data-value-term]").textContent = term;
  offer("f", value.href, `Filter to ${shown}`);
  offer("x", excluding(value), `Exclude ${shown}`);
  const grouped = value.closest("[data-grouped]").dataset.grouped;
  offer("g", `${grouped}&group=${encodeURIComponent(of)}`, `Group by ${of.replace(/^(tag:|@)/, "")}`);
  item("g").hidden = !of;
  menu.showPopover();
  place(value);
  item("f").focus();
});

menu?.addEventListener("keydown", (event) => {
  if (!["f", "x", "c"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  item(event.key).click();
});

menu?.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-value-does=c]")) return;
  menu.hidePopover();
  await navigator.clipboard?.writeText(shown); // there is none without https
  announce(navigator.clipboard ? "Copied" : `Not copied: ${shown}`);
});
