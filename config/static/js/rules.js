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
  const { live } = document.getElementById("pipeline").dataset;
  const address = new URL(live, location);
  address.search = location.search;
  const versions = [...document.querySelectorAll("input[name=version][data-kind]")];
  address.searchParams.set("versions", versions.map(({ dataset, value }) => `${dataset.kind}:${value}`).join());
  htmx.ajax("GET", address.pathname + address.search, { source: "#pipeline", swap: "none" });
}

setInterval(refresh, EVERY);

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
