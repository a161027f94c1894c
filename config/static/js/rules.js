// The list of rules: a refused switch goes back, and the numbers stay fresh by themselves.
const EVERY = 30_000;

for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, ({ target }) => {
    const control = target.closest(".rl-switch")?.querySelector("input[role=switch]");
    if (control) control.checked = !control.checked;
  });
}

function refresh() {
  const busy = document.hidden || document.querySelector(".grabbed, .sortable-chosen, [popover]:popover-open:not(.tip)");
  if (busy) return;
  const { live } = document.getElementById("rules").dataset;
  const address = new URL(live, location);
  address.search = location.search;
  address.searchParams.set("version", document.getElementById("rules-version")?.value ?? "");
  htmx.ajax("GET", address.pathname + address.search, { source: "#rules", swap: "none" });
}

setInterval(refresh, EVERY);

// The step of the pipeline folds without a request; the address says it, as without scripts.
document.addEventListener("click", (event) => {
  const toggle = event.target.closest(".step-toggle");
  if (!toggle) return;
  event.preventDefault();
  const opens = toggle.getAttribute("aria-expanded") === "false";
  toggle.setAttribute("aria-expanded", String(opens));
  document.getElementById("rules").hidden = !opens;
  const address = new URL(location);
  address.searchParams.set("opened-sections", toggle.value);
  history.replaceState(history.state, "", address);
  toggle.value = opens ? "none" : "create_ticket";
});
