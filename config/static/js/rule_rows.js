// The rows of a list of rules that are here, `above` others and in a list of `total`.
export const listOf = (row) => row.closest(".rule-list");
export const rows = (list) => [...list.children];
export const rowOf = (rule) => document.getElementById(`rule-${rule}`);
export const ruleOf = (row) => row.id.slice("rule-".length);
export const nameOf = (row) => row.querySelector("h3").textContent.trim();
export const ids = (list) => rows(list).map(ruleOf);
export const above = (list) => Number(list.dataset.start);
export const total = (list) => Number(list.dataset.total);
export const place = (row) => above(listOf(row)) + rows(listOf(row)).indexOf(row) + 1;
export const index = (row) => rows(listOf(row)).indexOf(row);
export const grip = (row) => row.querySelector(".grip");
// Where a button moves its rule: those of a menu say it, of the two in a row the first moves it up.
// The page names the rule by its number, scripts by its id: they may have moved others since.
export const moves = (button) => button.dataset.move ?? (button.nextElementSibling ? "up" : "down");

// Only scripts can use a grip, so they make it, where the page has drawn it.
function gripOf(row) {
  if (!grip(row)) {
    const made = document.createElement("button");
    made.className = "grip";
    made.type = "button";
    row.querySelector(".pos").prepend(made);
  }
  return grip(row);
}

export function renumber(list) {
  rows(list).forEach((row, nth) => {
    const number = above(list) + nth + 1;
    row.querySelector(".pos b").textContent = number;
    gripOf(row).setAttribute("aria-label", `Reorder rule ${number}, ${nameOf(row)}`);
    for (const button of row.querySelectorAll(".pos div button")) {
      const move = moves(button);
      button.disabled = number === (move === "up" ? 1 : total(list));
      const value = `${ruleOf(row)} ${number + (move === "up" ? -1 : 1)}`;
      Object.assign(button, { name: "to", value, formAction: list.dataset.reorder });
      button.setAttribute("aria-label", `Move rule ${number} ${move}`);
    }
  });
}

export function arrange(list, order) {
  list.append(...order.map(rowOf));
  renumber(list);
}

export function put(row, to) {
  const list = listOf(row);
  const others = rows(list).filter((each) => each !== row);
  list.insertBefore(row, others[Math.max(0, to)] ?? null);
  renumber(list);
}
