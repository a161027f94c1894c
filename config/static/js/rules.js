// The list of rules: a refused switch goes back, and the numbers stay fresh by themselves.
import { place } from "./menu.js";
import { withWindows } from "./rule_windows.js";

const EVERY = 30_000;

// A switch is a button of a form, which answers with a page; here with its row, and is turned at once.
const turn = (control) => control.setAttribute("aria-checked", String(!isOn(control)));
const isOn = (control) => control.getAttribute("aria-checked") === "true";

document.addEventListener("click", async (event) => {
  const control = event.target.closest(".rl [role=switch]");
  if (!control) return;
  event.preventDefault();
  turn(control);
  const row = control.closest("li");
  const values = isOn(control) ? { enabled: "on" } : {};
  const address = control.hasAttribute("formaction") ? control.formAction : new URL("toggle", row.querySelector(".rl-menu").href).pathname;
  await htmx.ajax("POST", address, { source: control, target: row, swap: "outerHTML", values });
  if (document.activeElement === document.body) document.querySelector(`#${CSS.escape(row.id)} [role=switch]`)?.focus();
});

for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, ({ target }) => {
    const control = target.closest("li.rl")?.querySelector("[role=switch]");
    if (control) turn(control);
  });
}

function refresh() {
  const busy = document.hidden || document.querySelector(".grabbed, .sortable-chosen, [popover]:popover-open:not(.tip)");
  if (busy) return;
  const { live } = document.getElementById("pipeline").dataset;
  htmx.ajax("GET", withWindows(live, { versions: versions() }), { source: "#pipeline", swap: "none" });
}

// Of the rules that are here.
function versions() {
  const fields = [...document.querySelectorAll('[id^="rules-version-"]')];
  return fields.map(({ id, value }) => `${id.slice("rules-version-".length)}:${value}`).join();
}

setInterval(refresh, EVERY);

// What a switch changes elsewhere is asked for as it is shown here, and more rules of this order.
document.addEventListener("htmx:configRequest", ({ target, detail }) => {
  if (target.matches("[role=switch]")) detail.path = withWindows(detail.path);
  if (!target.matches(".rules-foot a")) return;
  const address = new URL(detail.path, location);
  address.searchParams.set("versions", versions());
  detail.path = address.pathname + address.search;
});

// A link to a rule that is not among those that are here.
const row = /^#rule-([0-9a-f-]{36})$/.exec(location.hash)?.[1];
if (row && !document.getElementById(`rule-${row}`) && new URLSearchParams(location.search).get("rule") !== row) {
  location.replace(`${location.pathname}?rule=${row}#rule-${row}`);
}

// One menu for all rules, filled when it is opened.
const MENU_BUTTONS = ".rl-menu";
const menu = document.getElementById("rule-menu");
let opener = null;

// Menus are links, which lead to a page without scripts. Where notes go that a refresh brings; and
// lists of more types that came with later rows and are here already.
function prepareRows() {
  const seen = new Set();
  for (const list of document.querySelectorAll('.rule-list .pop[id^="types-"]')) {
    if (seen.has(list.id)) list.remove();
    seen.add(list.id);
  }
  for (const cell of document.querySelectorAll(".rl-rule:not(:has(.notes))")) {
    cell.append(Object.assign(document.createElement("div"), { className: "notes" }));
  }
  for (const button of document.querySelectorAll(`${MENU_BUTTONS}:not([aria-haspopup])`)) {
    button.setAttribute("role", "button");
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
  }
}
document.addEventListener("htmx:load", prepareRows);
prepareRows();

async function openMenu(button) {
  opener = button;
  const answer = await fetch(button.href, { headers: { "HX-Request": "true" } });
  if (!answer.ok || opener !== button) return;
  menu.innerHTML = await answer.text();
  menu.showPopover({ source: button });
  place(menu, button);
  button.setAttribute("aria-expanded", "true");
  menu.querySelector("[role=menuitem]").focus();
}

menu.addEventListener("toggle", ({ newState }) => {
  if (newState === "closed") opener?.setAttribute("aria-expanded", "false");
});
document.addEventListener("click", (event) => {
  const button = event.target.closest(MENU_BUTTONS);
  if (!button) return;
  event.preventDefault();
  openMenu(button);
});
document.addEventListener("keydown", (event) => {
  if (!["ArrowDown", " "].includes(event.key) || !event.target.matches(MENU_BUTTONS)) return;
  event.preventDefault();
  openMenu(event.target);
});

// The steps of the pipeline fold without a request; the address says it, as without scripts.
const toggles = () => [...document.querySelectorAll(".step-toggle")];
const isOpen = (toggle) => toggle.getAttribute("aria-expanded") === "true";
const joined = (open) => open.map(({ dataset }) => dataset.slug).join() || "none";

document.addEventListener("click", (event) => {
  const toggle = event.target.closest(".step-toggle");
  if (!toggle) return;
  event.preventDefault();
  const opens = !isOpen(toggle);
  toggle.setAttribute("aria-expanded", String(opens));
  document.getElementById(toggle.getAttribute("aria-controls")).hidden = !opens;
  const address = new URL(location);
  address.searchParams.set("opened-sections", joined(toggles().filter(isOpen)));
  history.replaceState(history.state, "", address);
  for (const each of toggles()) {
    each.value = joined(toggles().filter((other) => isOpen(other) !== (other === each)));
  }
});
