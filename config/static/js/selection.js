// The rows that are selected, or all that is found, and their number in the bar of what can be
// done with them.
import { announce } from "./announce.js";

export const BOX = "input[name=finding], input[name=within], input[name=case]";
const named = (name) => [...document.querySelectorAll(`#bulk input[name=${name}]`)].filter((box) => !box.closest("tr").hidden);
const has = (name) => Boolean(document.querySelector(`#bulk input[name=${name}]`));
const isOfGroups = () => has("within");
const row = () => ["within", "case"].find(has) ?? "finding"; // what a row of the page is
const boxes = () => named(row());
const whole = () => document.querySelector("#bulk input[name=whole]");
let anchor = null; // where a range begins: the box last set

function count() {
  const all = document.querySelector("[data-selects-all]");
  if (!all) return "";
  const chosen = boxes().filter((box) => box.checked).length;
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && chosen < boxes().length;
  const counter = document.querySelector("[data-bulk-count]");
  const some = named(has("case") ? "case" : "finding").filter((box) => box.checked).length;
  const number = whole()?.checked ? Number(counter.dataset.bulkAll) : some;
  if (isOfGroups() && !some) return countGroups(counter);
  counter.textContent = `${number.toLocaleString("en")} selected`;
  for (const each of document.querySelectorAll("[data-bulk-number]")) each.textContent = number;
  return counter.textContent;
}

// A group stands for its findings: what a page does not show is known by the whole only.
function countGroups(counter) {
  const isWhole = whole()?.checked;
  const sum = (name) => boxes().filter((box) => box.checked).reduce((total, box) => total + Number(box.dataset[name]), 0);
  const groups = isWhole ? Number(counter.dataset.bulkGroups) : boxes().filter((box) => box.checked).length;
  const number = isWhole ? Number(counter.dataset.bulkAll) : sum("number");
  counter.textContent = `${said(groups, "group")} · ${said(number, "finding")}`;
  const free = number - sum("ticketed");
  const alone = !isWhole && groups === 1 ? boxes().find((box) => box.checked) : null;
  const about = alone?.dataset.title && sum("tickets") === 1;
  const says = {
    title: alone ? (alone.dataset.title ? "One ticket for this group" : "One ticket for each of them") : "One ticket for each group",
    groups: about ? `“${alone.dataset.title}” for its ${said(free, "finding")} without a ticket` : isWhole ? `Creates up to ${said(groups, "ticket")}` : `Creates ${said(sum("tickets"), "ticket")}`,
    each: isWhole ? "For those without a ticket" : `Creates ${said(free, "ticket")}`,
    kept: isWhole ? "Findings that have a ticket keep it." : sum("ticketed") ? `${sum("ticketed").toLocaleString("en")} of the ${number.toLocaleString("en")} ${sum("ticketed") === 1 ? "has a ticket and keeps" : "have a ticket and keep"} it.` : "None of them has a ticket.",
  };
  for (const [name, text] of Object.entries(says)) document.querySelector(`[data-groups-say=${name}]`)?.replaceChildren(text);
  return counter.textContent;
}

const said = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// From the box last set to this one, all as this one is, or all set.
export function selectRange(box, checked = true) {
  const all = named(box?.name);
  const ends = [all.indexOf(anchor), all.indexOf(box)];
  if (ends[1] < 0) return;
  const from = ends[0] < 0 ? ends[1] : Math.min(...ends);
  for (const each of all.slice(from, Math.max(...ends) + 1)) each.checked = checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  if (event.shiftKey && anchor && event.target.matches(BOX)) selectRange(event.target, event.target.checked);
});

// Groups are chosen, or some of the findings in one that is open.
function leaveOthers({ name }) {
  if (isOfGroups()) for (const box of named(name === "finding" ? "within" : "finding")) box.checked = false;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches(BOX)) anchor = target;
  if (target.matches(`${BOX}, [data-selects-all], [name=whole]`)) leaveOthers(target);
  if (target.matches("[data-selects-all], #bulk input[name=whole]")) {
    for (const box of boxes()) box.checked = target.checked || box.checked && target.name === "whole";
  }
  if (target.matches(`#bulk :is(${BOX}), [data-selects-all]`) && whole()) whole().checked = false;
  if (target.closest("#bulk")) announce(count());
});
document.addEventListener("reset", () => setTimeout(() => { count(); announce("Selection cleared"); }));

// All that is found stays selected from one page of it to the next, and only there: the name of
// the search goes along, and what is sent in the end is that search.
const KEY = "selected-search";

document.addEventListener("click", ({ target }) => {
  if (!target.closest(".pager a[rel]") || !whole()?.checked) return;
  sessionStorage.setItem(KEY, document.querySelector("#bulk input[name=search]").value);
});

if (whole() && sessionStorage.getItem(KEY) === document.querySelector("#bulk input[name=search]").value) {
  whole().checked = true;
  for (const box of boxes()) box.checked = true;
  announce(`${count()}, on all pages`);
}
sessionStorage.removeItem(KEY);
count();
