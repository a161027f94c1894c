// data-popover="/address": a rich popover with what that address answers, asked for once. It
// opens on hover (300 ms), on click and on arrow down; the pointer may travel into it; Esc
// closes it and gives the focus back. Ctrl-click follows the link as ever.
import { place } from "./menu.js";

const answers = new Map();
let pop = null;
let owner = null;
let timer = 0;

async function open(link, { focus }) {
  clearTimeout(timer);
  if (owner === link) return focus && enter();
  close();
  owner = link;
  pop = Object.assign(document.createElement("div"), { className: "pop", popover: "auto" });
  pop.setAttribute("role", "dialog");
  pop.setAttribute("aria-label", link.dataset.popoverLabel ?? `Ticket ${link.textContent.trim()}`);
  pop.innerHTML = '<div class="body" aria-busy="true"><span class="skeleton"></span><span class="skeleton short"></span></div>';
  link.after(pop);
  pop.addEventListener("toggle", ({ newState }) => newState === "closed" && forget());
  pop.showPopover({ source: link });
  link.setAttribute("aria-expanded", "true");
  place(pop, link);
  await fill(link, pop);
  if (focus && owner === link) enter();
}

async function fill(link, into) {
  const address = link.dataset.popover;
  if (!answers.has(address)) {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (answer.ok) answers.set(address, await answer.text());
  }
  into.innerHTML = answers.get(address) ?? '<div class="body">The ticket could not be loaded.</div>';
  window.htmx.process(into);
  place(into, link);
}

function enter() {
  pop.querySelector("a, button")?.focus();
}

function close() {
  pop?.hidePopover();
}

function forget() {
  const had = pop.contains(document.activeElement);
  owner.setAttribute("aria-expanded", "false");
  pop.remove();
  if (had || document.activeElement === document.body) owner.focus();
  pop = owner = null;
}

document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  const link = event.target.closest("[data-popover]");
  clearTimeout(timer);
  if (link && link !== owner) timer = setTimeout(open, 300, link, { focus: false });
  else if (owner && !link && !pop.contains(event.target) && !pop.contains(document.activeElement)) {
    timer = setTimeout(close, 250);
  }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-popover]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link, { focus: true });
});
document.addEventListener("keydown", (event) => {
  const link = event.target.closest("[data-popover]");
  if (!link || event.key !== "ArrowDown") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  open(link, { focus: true });
}, true);
