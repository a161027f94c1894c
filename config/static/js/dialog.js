// data-opens="id" opens a dialog, data-closes closes the one it is in. Esc and the return of
// the focus are the platform's; a click beside the dialog closes it too.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  if (event.target.matches("dialog.dialog:not([role=alertdialog])") && isBeside(event)) {
    event.target.close();
  }
});

function isBeside({ target, clientX, clientY }) {
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

// A form that a link has put into the dialog of actions.
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target?.id !== "action-body" || !target.firstElementChild) return;
  const dialog = target.closest("dialog");
  if (!dialog.open) dialog.showModal();
  dialog.querySelector(".dialog-body :is(input, select, textarea), .dialog-foot .btn.primary")?.focus();
});
