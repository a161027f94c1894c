// A finding's panel, in the drawer or as a page: its parts, its links to copy.
import { toast } from "./toast.js";

document.addEventListener("click", async (event) => {
  const copied = event.target.closest("[data-copies]");
  if (copied) {
    await navigator.clipboard.writeText(copied.dataset.copies);
    toast({ title: "Copied", text: copied.dataset.copies });
  }
  const tab = event.target.closest("[data-tab]");
  if (!tab || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const why = tab.dataset.tab === "why";
  const shown = tab.parentElement.querySelector("[aria-current]").dataset.tab;
  if (why || shown === "why") {
    const head = tab.closest("[data-finding]");
    await htmx.ajax("GET", tab.href, { target: head.parentElement, swap: "innerHTML" });
  }
  if (why) return document.querySelector("[data-tab=why]").focus();
  show(tab.dataset.tab);
});

function show(name) {
  for (const tab of document.querySelectorAll("[data-tab]")) {
    tab.toggleAttribute("aria-current", false);
    if (tab.dataset.tab === name) tab.setAttribute("aria-current", "true");
    if (tab.dataset.tab === name) tab.focus();
  }
  document.getElementById(name || "overview")?.scrollIntoView({ block: "start" });
}
