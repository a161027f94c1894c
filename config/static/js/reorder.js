// The order of the rules of each kind: dragged, moved by keys on the grip, or by the buttons.
// The list changes at once; one POST says the order of the rules that are here; a refusal brings
// the old one back. Further than these a rule is moved by its menu.
import { announce } from "./announce.js";
import { post } from "./post.js";
import { above, arrange, grip, ids, index, listOf, moves, nameOf, place, put, renumber, rowOf, rows, ruleOf, total } from "./rule_rows.js";
import { withWindows } from "./rule_windows.js";
import { fault, toast } from "./toast.js";

const say = (text) => announce(text, { now: true });
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const saved = new Map(); // kind → the order the server knows
let grabbed = null; // {row, order}: being moved by keys
let saving = false;

function send(list, order, row) {
  const { kind, reorder } = list.dataset;
  const version = document.getElementById(`rules-version-${kind}`).value;
  const said = { kind, ids: order.join(), start: above(list), version, moved: ruleOf(row) };
  return post(withWindows(reorder), new URLSearchParams(said));
}

// Moves made while one is being saved are saved after it, together, on its version.
async function save(row) {
  if (saving) return;
  saving = true;
  const list = listOf(row), { kind } = list.dataset;
  const from = above(list) + saved.get(kind).indexOf(ruleOf(row)) + 1;
  try {
    while (ids(list).join() !== saved.get(kind).join()) {
      const order = ids(list);
      const answer = await send(list, order, row);
      if (answer.status !== 200) return refused(row, from, answer);
      saved.set(kind, order);
      htmx.swap(document.body, answer.html, { swapStyle: "none" });
    }
    say("Dropped. Order saved.");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch throws without a network
    refused(row, from, { status: 0 });
  } finally {
    saving = false;
  }
}

function refused(row, from, { status, html, id }) {
  const rule = ruleOf(row), list = listOf(row);
  if (status === 409 || status === 422) {
    htmx.swap(document.body, html, { swapStyle: "none" });
    start();
  } else {
    arrange(list, saved.get(list.dataset.kind));
    toast({ ...fault(status, html, id), title: "Order not saved" });
  }
  say(`Order not saved, back at position ${from}.`);
  document.querySelector(`#rule-${rule} .grip`)?.focus();
}

function grab(row) {
  grabbed = { row, order: ids(listOf(row)) };
  row.classList.add("grabbed");
  say(`${nameOf(row)} grabbed, position ${place(row)} of ${total(listOf(row))}.`);
}

function release({ keep }) {
  const { row, order } = grabbed;
  grabbed = null;
  row.classList.remove("grabbed");
  if (keep) return save(row);
  arrange(listOf(row), order);
  return say(`Move cancelled, back at position ${place(row)}.`);
}

function step(row, to) {
  put(row, to);
  grip(row).focus();
  say(`Moved to position ${place(row)} of ${total(listOf(row))}.`);
}

function key(event) {
  const row = event.target.closest(".grip")?.closest("li");
  if (!row) return;
  const held = grabbed?.row === row;
  const now = index(row);
  const to = { ArrowUp: now - 1, ArrowDown: now + 1, Home: 0, End: rows(listOf(row)).length }[event.key];
  if (event.key === " ") held ? release({ keep: true }) : grab(row);
  else if (event.key === "Escape" && held) release({ keep: false });
  else if (to !== undefined && held) step(row, to);
  else if (to !== undefined && event.altKey) { step(row, to); save(row); }
  else return;
  event.preventDefault();
  grip(row).focus();
}

function press(event) {
  const button = event.target.closest(".pos div button, [data-move]");
  const row = button && (button.closest(".rule-list > li") ?? rowOf(button.closest("[data-rule]")?.dataset.rule));
  if (!row) return;
  const list = listOf(row), here = rows(list).length, now = index(row);
  const to = { up: now - 1, down: now + 1, top: -above(list), bottom: total(list) - above(list) - 1 }[moves(button)];
  if (to < 0 || to >= here) return; // the form moves it to where no rules are loaded
  event.preventDefault();
  document.getElementById("rule-menu").hidePopover();
  put(row, to);
  (button.disabled || !row.contains(button) ? grip(row) : button).focus();
  save(row);
}

// Again whenever a new list, or a row of one, came in.
function start() {
  for (const list of document.querySelectorAll("[data-reorder]")) {
    if (!rows(list).every(grip)) renumber(list);
    if (Sortable.get(list)) continue;
    saved.set(list.dataset.kind, ids(list));
    const onEnd = ({ item }) => { renumber(list); save(item); };
    Sortable.create(list, { handle: ".grip", animation: still ? 0 : 120, forceFallback: true, fallbackTolerance: 4, onEnd });
  }
}

document.addEventListener("keydown", key);
document.addEventListener("click", press);
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (grabbed && target === grip(grabbed.row) && relatedTarget) release({ keep: false });
});
for (const name of ["htmx:oobAfterSwap", "htmx:load"]) document.addEventListener(name, start);
// More rules came in below those that are here.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  const list = target.closest("[data-reorder]");
  if (list && !saving) saved.set(list.dataset.kind, ids(list));
});
start();
