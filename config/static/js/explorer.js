// The explorer: rows open in the drawer, J and K walk them.
import { isBegun } from "./shortcuts.js";
import { closeDrawer, openDrawer } from "./drawer.js";
import { toggle } from "./groups.js";
import "./facets.js";
import "./query.js";
import "./search.js";
import { BOX, selectRange } from "./selection.js";
import "./values.js";

const drawer = document.getElementById("drawer");
const ROW = "tr[data-finding], tr[data-group]";
const rows = () => [...document.querySelectorAll(ROW)].filter((row) => !row.hidden);
const openId = () => new URLSearchParams(location.search).get("finding");
const rowOf = (id) => rows().find((row) => row.dataset.finding === id);
const linkOf = (row) => row?.querySelector("[data-opens-finding], [data-opens-group]");

function address(id, tab = "") {
  const here = new URL(location);
  id ? here.searchParams.set("finding", id) : here.searchParams.delete("finding");
  tab ? here.searchParams.set("tab", tab) : here.searchParams.delete("tab");
  return here.pathname + here.search;
}

let wanted = openId(); // runs ahead of the address while an answer is on its way

async function open(row, { replace = false, tab = "" } = {}) {
  const link = linkOf(row);
  const id = wanted = row.dataset.finding;
  const answer = await fetch(tab ? `${link.href}?tab=${tab}` : link.href, { headers: { "HX-Request": "true" } });
  if (wanted !== id) return; // J was faster than the answer
  if (!answer.ok || answer.redirected) return location.assign(link.href);
  htmx.swap(drawer, await answer.text(), { swapStyle: "innerHTML" });
  history[replace ? "replaceState" : "pushState"](null, "", address(id, tab));
  openDrawer(drawer);
  mark();
}

function mark() {
  for (const row of rows()) row.toggleAttribute("aria-current", false);
  if (openId()) rowOf(openId())?.setAttribute("aria-current", "true");
}

drawer.addEventListener("close", () => {
  const link = linkOf(rowOf(openId()));
  if (openId()) history.pushState(null, "", address(null));
  wanted = null;
  mark();
  link?.focus();
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  const row = event.target.closest("tr[data-finding]");
  const own = event.target.closest("a, button, input, label, [popover]");
  if (row && (!own || own.matches("[data-opens-finding]")) && !getSelection().toString()) {
    event.preventDefault();
    open(row);
  }
  if (event.target.closest("[data-closes-drawer]")) {
    event.preventDefault();
    closeDrawer(drawer);
  }
  const step = event.target.closest("[data-moves]");
  if (step) move(Number(step.dataset.moves));
  if (event.target.closest("[data-selects]")) here()?.querySelector(BOX)?.click();
});

const here = () => (drawer.open ? rowOf(wanted) : document.activeElement.closest(ROW));

function move(by) {
  const all = drawer.open ? rows().filter((row) => row.dataset.finding) : rows();
  const at = all.indexOf(here());
  const next = at < 0 ? all[0] : all[at + by];
  if (!next) return;
  drawer.open ? open(next, { replace: true }) : linkOf(next).focus();
}

// --- Keys that mean the row one is at, rather than one element of the page -----------------

// Along what a row holds: its title, its values, its ticket. They are no stops of Tab, which would
// have hundreds.
const stops = (row) => [...row.querySelectorAll("td:not(.c-select) a")];

function along(by) {
  const row = here();
  if (!row || row.dataset.group !== undefined || row.matches(".member")) return toggle(row, by > 0);
  const all = stops(row);
  all[all.indexOf(document.activeElement) + by]?.focus();
}

function unstop() {
  for (const value of document.querySelectorAll("#results [data-term]")) value.tabIndex = -1;
}

function createTicket() {
  if (drawer.open) return drawer.querySelector("[data-key=t]")?.click();
  const box = here()?.querySelector(BOX);
  const isAny = () => document.querySelector("#bulk :is(input[name=finding], input[name=within]):checked");
  if (box && !isAny()) box.click();
  if (isAny()) [...document.querySelectorAll("#bulk [data-key=t]")].find((each) => each.checkVisibility())?.click();
}

const KEYS = {
  X: () => selectRange(here()?.querySelector(BOX)),
  t: createTicket,
  o: () => !drawer.open && here() && (here().dataset.finding ? open(here()) : toggle(here())),
  w: () => !drawer.open && here().dataset.finding && open(here(), { tab: "why" }),
  ArrowRight: () => along(1),
  ArrowLeft: () => along(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const act = KEYS[key];
  if (!act || isBegun() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key.startsWith("Arrow") && !target.closest("[data-opens-finding], [data-opens-group], [data-term]")) return;
  if (key.length === 1 && !document.querySelector("[data-single-keys]").checked) return;
  if (target.closest("input:not([type=checkbox]), textarea, select, dialog:modal, .menu, .pop")) return;
  if (key === "w" && (drawer.open || !here())) return; // the panel's own
  event.preventDefault();
  act();
}, true); // before the page's keys, which know no rows

let before = location.search;
addEventListener("popstate", () => {
  const rest = (search) => { const p = new URLSearchParams(search); p.delete("finding"); return `${p}`; };
  if (rest(before) !== rest(location.search) || (openId() && !rowOf(openId()))) return location.reload();
  if (!openId()) return closeDrawer(drawer);
  open(rowOf(openId()), { replace: true });
});
new MutationObserver(() => { mark(); unstop(); }).observe(document.getElementById("results") ?? drawer, { childList: true, subtree: true });
for (const name of ["pushState", "replaceState"]) {
  const original = history[name];
  history[name] = function (...args) { original.apply(this, args); before = location.search; };
}
mark();
unstop();
