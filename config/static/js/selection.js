// The rows that are selected, and their number in the bar of what can be done with them.
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
