// The rows that are selected, or all that is found, and their number in the bar of what can be
// done with them.
const boxes = () => [...document.querySelectorAll("#bulk input[name=finding]")];
const whole = () => document.querySelector("#bulk input[name=whole]");

function count() {
  const all = document.querySelector("[data-selects-all]");
  if (!all) return;
  const chosen = boxes().filter((box) => box.checked).length;
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && chosen < boxes().length;
  const counter = document.querySelector("[data-bulk-count]");
  const number = whole()?.checked ? Number(counter.dataset.bulkAll) : chosen;
  counter.textContent = `${number.toLocaleString("en")} selected`;
  for (const each of document.querySelectorAll("[data-bulk-number]")) each.textContent = number;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-selects-all], #bulk input[name=whole]")) {
    for (const box of boxes()) box.checked = target.checked || box.checked && target.name === "whole";
  }
  if (target.matches("#bulk input[name=finding], [data-selects-all]") && whole()) whole().checked = false;
  if (target.closest("#bulk")) count();
});
document.addEventListener("reset", () => setTimeout(count));
count();
