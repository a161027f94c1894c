// The rows that are selected, or all that is found, and their number in the bar of what can be
// done with them.
const boxes = () => [...document.querySelectorAll("#bulk :is(input[name=finding], input[name=within])")];
const whole = () => document.querySelector("#bulk input[name=whole]");

function count() {
  const all = document.querySelector("[data-selects-all]");
  if (!all) return;
  const chosen = boxes().filter((box) => box.checked).length;
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && chosen < boxes().length;
  const counter = document.querySelector("[data-bulk-count]");
  const number = whole()?.checked ? Number(counter.dataset.bulkAll) : chosen;
  if (counter.dataset.bulkGroups) return countGroups(counter);
  counter.textContent = `${number.toLocaleString("en")} selected`;
  for (const each of document.querySelectorAll("[data-bulk-number]")) each.textContent = number;
}

// A group stands for its findings: what a page does not show is known by the whole only.
function countGroups(counter) {
  const isWhole = whole()?.checked;
  const sum = (name) => boxes().filter((box) => box.checked).reduce((total, box) => total + Number(box.dataset[name]), 0);
  const groups = isWhole ? Number(counter.dataset.bulkGroups) : boxes().filter((box) => box.checked).length;
  const number = isWhole ? Number(counter.dataset.bulkAll) : sum("number");
  counter.textContent = `${said(groups, "group")} · ${said(number, "finding")}`;
  const free = number - sum("ticketed");
  const alone = !isWhole && groups === 1 ? boxes().find((box) => box.checked) : null;
  const about = alone?.dataset.title && sum("tickets") === 1;
  const says = {
    title: alone ? (alone.dataset.title ? "One ticket for this group" : "One ticket for each of them") : "One ticket for each group",
    groups: about ? `“${alone.dataset.title}” for its ${said(free, "finding")} without a ticket` : isWhole ? `Creates up to ${said(groups, "ticket")}` : `Creates ${said(sum("tickets"), "ticket")}`,
    each: isWhole ? "For those without a ticket" : `Creates ${said(free, "ticket")}`,
    kept: isWhole ? "Findings that have a ticket keep it." : sum("ticketed") ? `${sum("ticketed").toLocaleString("en")} of the ${number.toLocaleString("en")} ${sum("ticketed") === 1 ? "has a ticket and keeps" : "have a ticket and keep"} it.` : "None of them has a ticket.",
  };
  for (const [name, text] of Object.entries(says)) document.querySelector(`[data-groups-say=${name}]`)?.replaceChildren(text);
}

const said = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-selects-all], #bulk input[name=whole]")) {
    for (const box of boxes()) box.checked = target.checked || box.checked && target.name === "whole";
  }
  if (target.matches("#bulk :is(input[name=finding], input[name=within]), [data-selects-all]") && whole()) whole().checked = false;
  if (target.closest("#bulk")) count();
});
document.addEventListener("reset", () => setTimeout(count));
count();
