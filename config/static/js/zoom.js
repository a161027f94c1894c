// Dragging over the histogram narrows the search to those days; with the keyboard it is the
// time menu that does so.

const form = document.getElementById("search");
const menu = form?.elements.from;
const DAY = 86_400_000;
const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
const minute = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
let chart = null;
let from = 0;
let band = null;

const barAt = (x) => {
  const { left, width } = chart.getBoundingClientRect();
  const bars = Number(chart.dataset.bars);
  return Math.max(0, Math.min(bars - 1, Math.floor(((x - left) / width) * bars)));
};

function show(to) {
  const wide = chart.viewBox.baseVal.width / Number(chart.dataset.bars);
  band.setAttribute("x", String(Math.min(from, to) * wide));
  band.setAttribute("width", String((Math.abs(to - from) + 1) * wide));
}

function labelOf(start, end) {
  const whole = start % DAY === 0 && end % DAY === 0;
  const write = whole ? day : minute;
  const last = write.format(end - (whole ? 1 : 0));
  return write.format(start) === last ? last : `${write.format(start)} – ${last}`;
}

function zoom(start, end) {
  const custom = menu.querySelector("[data-custom]") ?? menu.appendChild(new Option());
  custom.dataset.custom = "";
  custom.text = labelOf(start, end);
  custom.value = new Date(start).toISOString().replace(".000", "");
  form.elements.to.value = new Date(end).toISOString().replace(".000", "");
  menu.value = custom.value;
  menu.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("pointerdown", (event) => {
  if (event.button || !event.target.closest?.("[data-zooms]")) return;
  chart = event.target.closest("[data-zooms]");
  from = barAt(event.clientX);
  band = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["class", "zoom"], ["y", "0"], ["height", "64"]]) band.setAttribute(name, value);
  chart.append(band);
  show(from);
  event.preventDefault();
});
addEventListener("pointermove", ({ clientX }) => band && show(barAt(clientX)));
addEventListener("pointerup", ({ clientX }) => {
  if (!band) return;
  const to = barAt(clientX);
  band.remove();
  band = null;
  if (to === from) return; // a click, not a drag
  const start = Date.parse(chart.dataset.start);
  const step = Number(chart.dataset.step) * 1000;
  // The search may begin or end within a bar.
  const edge = (name, open) => (name in chart.dataset ? Date.parse(chart.dataset[name]) : open);
  zoom(
    Math.max(start + Math.min(from, to) * step, edge("since", -Infinity)),
    Math.min(start + (Math.max(from, to) + 1) * step, edge("until", Infinity)),
  );
});
addEventListener("keydown", ({ key }) => { if (key === "Escape" && band) { band.remove(); band = null; } });
addEventListener("pointercancel", () => { band?.remove(); band = null; });

menu?.addEventListener("change", () => {
  if (menu.selectedOptions[0]?.dataset.custom !== undefined) return;
  form.elements.to.value = "";
  menu.querySelector("[data-custom]")?.remove();
}, true);
