// The explorer: the address follows what is asked, rows open in the drawer, J and K walk them.
import { announce } from "./announce.js";
import { closeDrawer, openDrawer } from "./drawer.js";

const drawer = document.getElementById("drawer");
const form = document.getElementById("search");
const { list } = drawer.dataset;
const rows = () => [...document.querySelectorAll("tr[data-finding]")];
const openId = () => new URLSearchParams(location.search).get("finding");
const rowOf = (id) => rows().find((row) => row.dataset.finding === id);
const linkOf = (row) => row?.querySelector("[data-opens-finding]");

// --- What is asked ---------------------------------------------------------------------

const unfolded = new Map(); // facets that somebody opened or closed, for the next answer

function asked(data) {
  const kept = new URLSearchParams([...data].filter(([name, value]) => value && !name.endsWith("_of")));
  for (const facet of form.querySelectorAll("[data-facet]")) {
    const boxes = [...facet.querySelectorAll("input[type=checkbox]")];
    kept.delete(facet.dataset.facet);
    if (boxes.every((box) => box.checked)) continue;
    for (const box of boxes) if (box.checked) kept.append(box.name, box.value);
  }
  if (kept.get("from") === "all") kept.delete("from");
  if (kept.get("sort") === "-severity") kept.delete("sort");
  return kept;
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt === form) detail.formData = detail.parameters = new FormData();
  if (detail.elt === form) detail.path = `${list}?${asked(new FormData(form))}`;
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt !== form || !detail.successful) return;
  const failed = document.querySelector("#query-error .error");
  form.q.setAttribute("aria-invalid", String(Boolean(failed)));
  if (failed) return;
  history.pushState(null, "", detail.pathInfo.requestPath.replace(/\?$/, ""));
  for (const facet of form.querySelectorAll("[data-facet]")) {
    facet.open = unfolded.get(facet.dataset.facet) ?? facet.open;
  }
  announce(document.querySelector("[data-announces] b").textContent);
});

form?.addEventListener("click", ({ target }) => {
  const facet = target.closest("summary")?.parentElement;
  if (facet?.dataset.facet) unfolded.set(facet.dataset.facet, !facet.open);
});

// --- The drawer --------------------------------------------------------------------------

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

// --- Selection -----------------------------------------------------------------------------

function count() {
  const boxes = [...document.querySelectorAll("#bulk input[name=finding]")];
  const chosen = boxes.filter((box) => box.checked).length;
  const all = document.querySelector("[data-selects-all]");
  if (!all) return;
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
  document.querySelector("[data-bulk-count]").textContent = `${chosen} selected`;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-selects-all]")) {
    for (const box of document.querySelectorAll("#bulk input[name=finding]")) box.checked = target.checked;
  }
  if (target.closest("#bulk")) count();
});
document.addEventListener("reset", () => setTimeout(count));
count();
mark();
