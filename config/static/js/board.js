// The board of cases: a card dragged to another column, or sent there by its menu, goes at once.
// The server answers with the board as it is then, also when it refused; without an answer the
// card goes back.
import { post } from "./post.js";
import { fault, toast } from "./toast.js";

const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const board = () => document.querySelector("[data-board]");
const column = (status) => board().querySelector(`[data-column="${status}"]`);

async function move(card, status, takeBack) {
  const form = card.querySelector("[data-moves]");
  const body = new URLSearchParams(new FormData(form));
  body.set("status", status);
  drags((sortable) => sortable.option("disabled", true)); // until the answer is there
  board().setAttribute("aria-busy", "true");
  try {
    const { status, html, id } = await post(form.action, body);
    if ([200, 409, 422].includes(status)) {
      htmx.swap(board(), html, { swapStyle: "outerHTML" });
      start();
    } else refused(takeBack, fault(status, html, id));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch throws without a network
    refused(takeBack, fault(0));
  }
  document.getElementById(card.id)?.querySelector("[aria-haspopup=menu]").focus();
}

function refused(takeBack, why) {
  takeBack();
  board().removeAttribute("aria-busy");
  drags((sortable) => sortable.option("disabled", false));
  toast({ ...why, title: "Card not moved" });
}

function putBack(card, from, before) {
  return () => from.insertBefore(card, before);
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-moves]")) return;
  event.preventDefault();
  const card = event.target.closest("[data-card]");
  const takeBack = putBack(card, card.parentElement, card.nextElementSibling);
  event.target.hidePopover();
  const { value } = event.submitter;
  column(value).prepend(card);
  move(card, value, takeBack);
});

function drags(act) {
  for (const list of board().querySelectorAll("[data-column]")) {
    const sortable = Sortable.get(list);
    if (sortable) act(sortable);
  }
}

// Again whenever a new board came in.
function start() {
  for (const list of board().querySelectorAll("[data-column]")) {
    Sortable.create(list, {
      group: "cases", sort: false, animation: still ? 0 : 120, forceFallback: true,
      fallbackTolerance: 4, delay: 150, delayOnTouchOnly: true, filter: "button, .menu",
      preventOnFilter: false,
      onAdd: ({ item, from, to, oldIndex }) =>
        move(item, to.dataset.column, putBack(item, from, from.children[oldIndex] ?? null)),
    });
  }
}

if (board()) start();
