// The explorer: rows open in the drawer, J and K walk them.
import { closeDrawer, openDrawer } from "./drawer.js";
import "./query.js";
import "./search.js";
import "./selection.js";

const drawer = document.getElementById("drawer");
const rows = () => [...document.querySelectorAll("tr[data-finding]")];
const openId = () => new URLSearchParams(location.search).get("finding");
const rowOf = (id) => rows().find((row) => row.dataset.finding === id);
const linkOf = (row) => row?.querySelector("[data-opens-finding]");

function address(id) {
  const here = new URL(location);
  id ? here.searchParams.set("finding", id) : here.searchParams.delete("finding");
  here.searchParams.delete("tab");
  return here.pathname + here.search;
}

let wanted = openId(); // runs ahead of the address while an answer is on its way

async function open(row, { replace = false } = {}) {
  const link = linkOf(row);
  const id = wanted = row.dataset.finding;
  const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
  if (wanted !== id) return; // J was faster than the answer
  if (!answer.ok || answer.redirected) return location.assign(link.href);
  htmx.swap(drawer, await answer.text(), { swapStyle: "innerHTML" });
  history[replace ? "replaceState" : "pushState"](null, "", address(id));
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
  if (event.target.closest("[data-selects]")) here()?.querySelector("input[name=finding]")?.click();
});

const here = () => (drawer.open ? rowOf(wanted) : document.activeElement.closest("tr[data-finding]"));

function move(by) {
  const all = rows();
  const at = all.indexOf(here());
  const next = at < 0 ? all[0] : all[at + by];
  if (!next) return;
  drawer.open ? open(next, { replace: true }) : linkOf(next).focus();
}

let before = location.search;
addEventListener("popstate", () => {
  const rest = (search) => { const p = new URLSearchParams(search); p.delete("finding"); return `${p}`; };
  if (rest(before) !== rest(location.search) || (openId() && !rowOf(openId()))) return location.reload();
  if (!openId()) return closeDrawer(drawer);
  open(rowOf(openId()), { replace: true });
});
new MutationObserver(mark).observe(document.getElementById("results") ?? drawer, { childList: true });
for (const name of ["pushState", "replaceState"]) {
  const original = history[name];
  history[name] = function (...said) { original.apply(this, said); before = location.search; };
}
mark();
