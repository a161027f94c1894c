// Test Rule: opens its dialog when there is something in it, says each step, and puts the
// focus on what just came: the search field, the result.
import { announce } from "./announce.js";

const dialog = document.getElementById("test");

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target?.id !== "test-body" || !detail.target.firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  const first = dialog.querySelector("[data-focuses]") ?? document.getElementById("test-title");
  first.focus();
});

document.addEventListener("htmx:load", ({ detail }) => {
  const progress = detail.elt.closest?.("[data-announces]") ?? detail.elt.querySelector?.(".test-progress");
  if (progress && dialog.contains(progress)) announce(progress.dataset.announces);
});

// A closed dialog asks no more; the test itself goes on.
dialog.addEventListener("close", () => document.getElementById("test-body").replaceChildren());

dialog.addEventListener("click", ({ target }) => {
  const field = target.closest("[data-fixes]")?.dataset.fixes;
  if (!field) return;
  const place = document.querySelector(`[data-field="${CSS.escape(field)}"], [name="${CSS.escape(field)}"]`);
  (place?.querySelector("input, select, textarea") ?? place)?.focus();
});
