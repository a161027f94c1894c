// The order of the rules of each kind: dragged, moved by keys on the grip, or by the buttons.
// The list changes at once; one POST says the whole order; a refusal brings the old one back.
import { announce } from "./announce.js";
import { post } from "./post.js";
import { fault, toast } from "./toast.js";

const listOf = (row) => row.closest(".rule-list");
const rows = (list) => [...list.querySelectorAll(":scope > [data-rule]")];
const ids = (list) => rows(list).map((row) => row.dataset.rule);
const place = (row) => rows(listOf(row)).indexOf(row) + 1;
const grip = (row) => row.querySelector(".grip");
const say = (text) => announce(text, { now: true });
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const saved = new Map(); // kind → the order the server knows
let grabbed = null; // {row, order}: being moved by keys
let saving = false;

function renumber(list) {
  const all = rows(list);
  all.forEach((row, index) => {
    row.querySelector(".n").textContent = index + 1;
    grip(row).setAttribute("aria-label", `Reorder rule ${index + 1}, ${row.dataset.name}`);
    for (const button of row.querySelectorAll("[data-move]")) {
      const { move } = button.dataset;
      button.disabled = ["up", "top"].includes(move) ? index === 0 : index === all.length - 1;
      if (button.closest(".move")) button.setAttribute("aria-label", `Move rule ${index + 1} ${move}`);
    }
  });
}

function arrange(list, order) {
  list.append(...order.map((id) => list.querySelector(`:scope > [data-rule="${id}"]`)));
  renumber(list);
}

function put(row, to) {
  const list = listOf(row);
  const others = rows(list).filter((each) => each !== row);
  list.insertBefore(row, others[Math.max(0, to)] ?? null);
  renumber(list);
}

function send(list, order, row) {
  const { kind, reorder } = list.dataset;
  const version = document.getElementById(`rules-version-${kind}`).value;
  const body = new URLSearchParams({ kind, ids: order.join(), version, moved: row.dataset.rule });
  return post(reorder, body);
}

// Moves made while one is being saved are saved after it, together, on its version.
async function save(row) {
  if (saving) return;
  saving = true;
  const list = listOf(row), { kind } = list.dataset;
  const from = saved.get(kind).indexOf(row.dataset.rule) + 1;
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
  const { rule } = row.dataset, list = listOf(row);
  if (status === 409 || status === 422) {
    htmx.swap(document.body, html, { swapStyle: "none" });
    start();
  } else {
    arrange(list, saved.get(list.dataset.kind));
    toast({ ...fault(status, html, id), title: "Order not saved" });
  }
  say(`Order not saved, back at position ${from}.`);
  document.querySelector(`[data-rule="${rule}"] .grip`)?.focus();
}

function grab(row) {
  grabbed = { row, order: ids(listOf(row)) };
  row.classList.add("grabbed");
  say(`${row.dataset.name} grabbed, position ${place(row)} of ${rows(listOf(row)).length}.`);
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
  say(`Moved to position ${place(row)} of ${rows(listOf(row)).length}.`);
}

function key(event) {
  const row = event.target.closest(".grip")?.closest("[data-rule]");
  if (!row) return;
  const held = grabbed?.row === row;
  const now = place(row) - 1;
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
  const button = event.target.closest("[data-move]");
  const row = button?.closest("[data-rule]");
  if (!row) return;
  event.preventDefault();
  const now = place(row) - 1;
  put(row, { up: now - 1, down: now + 1, top: 0, bottom: rows(listOf(row)).length }[button.dataset.move]);
  (button.disabled || button.closest(".menu") ? grip(row) : button).focus();
  save(row);
}

// Again whenever a new list came in.
function start() {
  for (const list of document.querySelectorAll("[data-reorder]")) {
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
document.addEventListener("htmx:oobAfterSwap", start);
start();
