// The order of the rules: dragged, moved by keys on the grip, or by the buttons.
// The list changes at once; one POST says the whole order; a refusal brings the old one back.
import { announce } from "./announce.js";
import { post } from "./post.js";
import { fault, toast } from "./toast.js";

const list = () => document.getElementById("rule-list");
const rows = () => [...list().querySelectorAll(":scope > [data-rule]")];
const ids = () => rows().map((row) => row.dataset.rule);
const place = (row) => rows().indexOf(row) + 1;
const grip = (row) => row.querySelector(".grip");
const say = (text) => announce(text, { now: true });
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

let saved = []; // the order the server knows
let grabbed = null; // {row, order}: being moved by keys
let saving = false;

function renumber() {
  const all = rows();
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

function arrange(order) {
  const byId = new Map(rows().map((row) => [row.dataset.rule, row]));
  list().append(...order.map((id) => byId.get(id)));
  renumber();
}

function put(row, to) {
  const others = rows().filter((each) => each !== row);
  list().insertBefore(row, others[Math.max(0, to)] ?? null);
  renumber();
}

function send(order, row) {
  const version = document.getElementById("rules-version").value;
  const body = new URLSearchParams({ ids: order.join(), version, moved: row.dataset.rule });
  return post(list().dataset.reorder, body);
}

// Moves made while one is being saved are saved after it, together, on its version.
async function save(row) {
  if (saving) return;
  saving = true;
  const from = saved.indexOf(row.dataset.rule) + 1;
  try {
    while (ids().join() !== saved.join()) {
      const order = ids();
      const answer = await send(order, row);
      if (answer.status !== 200) return refused(row, from, answer);
      saved = order;
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

function refused({ dataset: { rule } }, from, { status, html, id }) {
  if (status === 409 || status === 422) {
    htmx.swap(document.getElementById("rules"), html, { swapStyle: "outerHTML" });
    start();
  } else {
    arrange(saved);
    toast({ ...fault(status, html, id), title: "Order not saved" });
  }
  say(`Order not saved, back at position ${from}.`);
  document.querySelector(`[data-rule="${rule}"] .grip`)?.focus();
}

function grab(row) {
  grabbed = { row, order: ids() };
  row.classList.add("grabbed");
  say(`${row.dataset.name} grabbed, position ${place(row)} of ${rows().length}.`);
}

function release({ keep }) {
  const { row, order } = grabbed;
  grabbed = null;
  row.classList.remove("grabbed");
  if (keep) return save(row);
  arrange(order);
  return say(`Move cancelled, back at position ${place(row)}.`);
}

function step(row, to) {
  put(row, to);
  grip(row).focus();
  say(`Moved to position ${place(row)} of ${rows().length}.`);
}

function key(event) {
  const row = event.target.closest(".grip")?.closest("[data-rule]");
  if (!row) return;
  const held = grabbed?.row === row;
  const now = place(row) - 1;
  const to = { ArrowUp: now - 1, ArrowDown: now + 1, Home: 0, End: rows().length }[event.key];
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
  put(row, { up: now - 1, down: now + 1, top: 0, bottom: rows().length }[button.dataset.move]);
  (button.disabled || button.closest(".menu") ? grip(row) : button).focus();
  save(row);
}

// Again whenever a new list came in.
function start() {
  if (!list()?.dataset.reorder || Sortable.get(list())) return;
  saved = ids();
  Sortable.create(list(), {
    handle: ".grip", animation: still ? 0 : 120, forceFallback: true, fallbackTolerance: 4,
    onEnd: ({ item }) => { renumber(); save(item); },
  });
}

document.addEventListener("keydown", key);
document.addEventListener("click", press);
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (grabbed && target === grip(grabbed.row) && relatedTarget) release({ keep: false });
});
document.addEventListener("htmx:oobAfterSwap", start);
start();
