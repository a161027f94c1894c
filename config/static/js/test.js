// Test Rule: opens its dialog when there is something in it, says each step, and puts the
// focus on what just came: the search field, the result.
import { announce } from "./announce.js";

const dialog = document.getElementById("test");

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target?.id !== "test-body" || !detail.target.firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  const first = dialog.querySelector("[data-focuses]") ?? document.getElementById("test-title");
  first.focus();
  nameFix();
});

document.addEventListener("htmx:load", ({ detail }) => {
  const progress = detail.elt.closest?.("[data-announces]") ?? detail.elt.querySelector?.(".test-progress");
  if (progress && dialog.contains(progress)) announce(progress.dataset.announces);
});

// "Test Rule" of the list leads here; the button is ready when htmx is.
addEventListener("load", () => {
  if (location.hash === "#test-rule") document.getElementById("test-rule").click();
});

// A closed dialog asks no more; the test itself goes on.
dialog.addEventListener("close", () => document.getElementById("test-body").replaceChildren());

// The field that Jira asked for: in the form, or among those that can be added to it.
const ofForm = (id) =>
  document.getElementById(`id_field_${id}`) ?? document.querySelector(`[name="${CSS.escape(id)}"]`);
const toAdd = (id) => document.querySelector(`#add-field [name=add][value="${CSS.escape(id)}"]`);

function nameFix() {
  const button = dialog.querySelector("[data-fixes]");
  const adds = button && toAdd(button.dataset.fixes);
  if (adds) button.querySelector("span").textContent = `Add the ${adds.textContent.trim()} field`;
  else if (button) button.hidden = !ofForm(button.dataset.fixes);
}

dialog.addEventListener("click", ({ target }) => {
  const id = target.closest("[data-fixes]")?.dataset.fixes;
  // Behind an open dialog nothing takes the focus.
  if (id) dialog.addEventListener("close", () => (toAdd(id) ? toAdd(id).click() : ofForm(id)?.focus()), { once: true });
});
