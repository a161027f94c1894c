// The address follows what is asked; the table comes first, then the facets and the chart.
import { announce } from "./announce.js";
import { makePills } from "./pills.js";
import { remember } from "./shell.js";
import { toast } from "./toast.js";
import "./zoom.js";

remember("facets", "later"); // from now on the table may come before the facets

const form = document.getElementById("search");
const { list } = document.getElementById("drawer").dataset;

const unfolded = new Map(); // facets that somebody opened or closed, for the next answer

function paramsOf(data) {
  const kept = new URLSearchParams([...data].filter(([name, value]) => value && !name.endsWith("_of") && !name.startsWith("find_")));
  for (const facet of form.querySelectorAll("[data-facet]")) {
    const boxes = [...facet.querySelectorAll("input[type=checkbox]")];
    kept.delete(facet.dataset.facet);
    if (boxes.every((box) => box.checked)) continue;
    for (const box of boxes) if (box.checked) kept.append(box.name, box.value);
  }
  if (kept.get("from") === "all" && !kept.has("to")) kept.delete("from");
  if (kept.get("by") === "opened") kept.delete("by");
  if (kept.get("sort") === "-severity") kept.delete("sort");
  return kept;
}

form?.addEventListener("change", ({ target }) => {
  // Groups are of what they were grouped by: grouped by something else, the search is whole again.
  if (target.name === "group") for (const each of form.querySelectorAll("[data-within]")) each.remove();
}, true);

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt !== form) return;
  const late = document.getElementById("facets-load");
  if (late) htmx.trigger(late, "htmx:abort"); // they would undo what was chosen since
  detail.formData = detail.parameters = new FormData();
  detail.path = `${list}?${paramsOf(new FormData(form))}`;
});

// What is replaced asks for nothing any more: its answer would find no place.
document.addEventListener("htmx:beforeSwap", ({ target, detail }) => {
  if (!detail.shouldSwap) return;
  for (const asking of target.querySelectorAll(".htmx-request")) htmx.trigger(asking, "htmx:abort");
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt !== form || !detail.successful) return;
  const failed = document.querySelector("#query-error .error");
  document.getElementById("q").setAttribute("aria-invalid", String(Boolean(failed)));
  if (failed) return;
  if (detail.requestConfig.triggeringEvent?.type !== "input") makePills();
  form.querySelector(".group-by")?.classList.toggle("is-set", Boolean(form.elements.group.value));
  history.pushState(null, "", detail.pathInfo.requestPath.replace(/\?$/, ""));
  for (const link of document.querySelectorAll("[data-follows-search]")) link.search = location.search;
  announce(document.querySelector("[data-announces] b").textContent);
});

document.querySelector(".export")?.addEventListener("click", () => {
  const label = document.querySelector("[data-exports]")?.dataset.exports ?? document.querySelector("[data-announces] b").textContent;
  toast({ tone: "info", title: "Export started", text: `${label}, saved by your browser as they arrive. You may go on meanwhile.` });
});

document.addEventListener("htmx:afterSettle", () => {
  for (const facet of form?.querySelectorAll("[data-facet]") ?? []) {
    facet.open = unfolded.get(facet.dataset.facet) ?? facet.open;
  }
});

form?.addEventListener("click", ({ target }) => {
  const facet = target.closest("summary")?.parentElement;
  if (facet?.dataset.facet) unfolded.set(facet.dataset.facet, !facet.open);
});
