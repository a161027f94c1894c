// J and K (or the arrows) walk through the rows of a list; Ctrl or ⌘ with Enter sends a form.

const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable], dialog:modal, .menu";
const STEPS = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };
const singleKeys = document.querySelector("[data-single-keys]");

function walk(event) {
  const step = STEPS[event.key];
  const rows = [...document.querySelectorAll("[data-row]")];
  const here = rows.indexOf(document.activeElement.closest("tr")?.querySelector("[data-row]") ?? document.activeElement);
  const arrow = event.key.startsWith("Arrow");
  if (!step || !rows.length || (arrow ? here < 0 : !singleKeys.checked)) return;
  event.preventDefault();
  rows[Math.max(0, Math.min(rows.length - 1, here + step))].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.target.closest("form[data-sends]")?.requestSubmit();
  } else if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest(FIELDS)) {
    walk(event);
  }
});
