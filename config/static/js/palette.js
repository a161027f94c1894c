// ⌘K or Ctrl K: jump to a page, rule, case or finding. The server says what the letters may mean.
import { announce } from "./announce.js";

const WAIT = 120;
const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
let timer = 0;
let latest = 0;
let answered = "";

async function search() {
  const mine = ++latest;
  const text = input.value;
  const address = `${input.form.action}?${new URLSearchParams({ q: text })}`;
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (mine !== latest || !answer.ok) return;
  list.innerHTML = await answer.text();
  answered = text;
  choose(list.firstElementChild);
  announce(`${list.childElementCount} results`);
}

function chosen() {
  return list.querySelector("[aria-selected=true]");
}

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", option?.id ?? "");
}

function open() {
  input.value = "";
  dialog.showModal();
  search();
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey) return;
  event.preventDefault();
  dialog.open ? dialog.close() : open();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-opens-palette]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  open();
});
input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, WAIT);
});
input.addEventListener("keydown", (event) => {
  const now = chosen();
  const to = {
    ArrowDown: now?.nextElementSibling ?? list.firstElementChild,
    ArrowUp: now?.previousElementSibling ?? list.lastElementChild,
  }[event.key];
  if (to) {
    event.preventDefault();
    choose(to);
  }
});
// Enter before the answer is there submits the form: the page of the same address answers.
input.form.addEventListener("submit", (event) => {
  const option = chosen();
  if (!option || answered !== input.value) return;
  event.preventDefault();
  option.click();
});
