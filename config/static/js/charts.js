// [data-charts]: charts of the same days. Of each chart one bar is in the tab order: arrows move
// between its bars, Home and End to the first and last, up and down to the chart beside it; Enter
// follows the bar's link. A hairline in the other charts marks the day that one has in hand.

const barsOf = (chart) => [...chart.querySelectorAll("a.day")];
const chartsOf = (bar) => [...bar.closest("[data-charts]").querySelectorAll("svg.days")];

for (const chart of document.querySelectorAll("[data-charts] svg.days")) {
  const bars = barsOf(chart);
  for (const bar of bars.slice(0, -1)) bar.setAttribute("tabindex", "-1");
}

function mark(bar) {
  for (const chart of chartsOf(bar)) {
    const hair = chart.querySelector(".hair");
    hair.setAttribute("x1", bar.dataset.at);
    hair.setAttribute("x2", bar.dataset.at);
    hair.classList.toggle("shown", chart !== bar.closest("svg"));
  }
}

function unmark(within) {
  for (const hair of within.querySelectorAll(".hair.shown")) hair.classList.remove("shown");
}

function take(bar) {
  for (const other of barsOf(bar.closest("svg"))) other.setAttribute("tabindex", other === bar ? "0" : "-1");
  bar.focus();
}

function next(bar, key) {
  const bars = barsOf(bar.closest("svg"));
  const at = bars.indexOf(bar);
  const charts = chartsOf(bar);
  const beside = charts[charts.indexOf(bar.closest("svg")) + (key === "ArrowDown" ? 1 : -1)];
  switch (key) {
    case "ArrowRight": return bars[at + 1];
    case "ArrowLeft": return bars[at - 1];
    case "Home": return bars[0];
    case "End": return bars.at(-1);
    case "ArrowDown":
    case "ArrowUp": return beside && barsOf(beside)[at];
    default: return null;
  }
}

document.addEventListener("keydown", (event) => {
  const bar = event.target.closest("[data-charts] a.day");
  if (!bar || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  const to = next(bar, event.key);
  if (to) take(to);
});
document.addEventListener("pointerover", (event) => {
  const bar = event.target.closest("[data-charts] a.day");
  if (bar) mark(bar);
});
document.addEventListener("pointerout", (event) => {
  const charts = event.target.closest("[data-charts]");
  if (charts && !event.relatedTarget?.closest?.("a.day")) unmark(charts);
});
document.addEventListener("focusin", (event) => {
  const bar = event.target.closest("[data-charts] a.day");
  if (bar) mark(bar);
});
document.addEventListener("focusout", (event) => {
  const charts = event.target.closest("[data-charts]");
  if (charts) unmark(charts);
});
