// Groups of findings: opened and closed in place. Without scripts the same links load the page.
const linkOf = (row) => row?.closest("tbody")?.querySelector("[data-opens-group]");
const isOpen = (link) => link.getAttribute("aria-expanded") === "true";
const rowsOf = (link) => [...link.closest("tbody").querySelectorAll(".member, .members-foot")];

async function load(link, address) {
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected) return location.assign(link.href);
  for (const row of rowsOf(link)) row.remove();
  htmx.swap(link.closest("tbody"), await answer.text(), { swapStyle: "beforeend" });
}

export async function toggle(row, wanted) {
  const link = linkOf(row);
  const open = wanted ?? (link && !isOpen(link));
  if (!link || isOpen(link) === open || link.ariaBusy) return;
  if (!open && row.matches(".member, .members-foot")) link.focus();
  link.setAttribute("aria-expanded", String(open));
  if (open && !rowsOf(link).length) {
    link.ariaBusy = "true";
    await load(link, link.dataset.opensGroup);
    link.ariaBusy = null;
  }
  for (const each of rowsOf(link)) each.hidden = !isOpen(link);
}

document.addEventListener("click", async (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  const more = event.target.closest("[data-shows-more]");
  const row = event.target.closest("tr[data-group]");
  const own = event.target.closest("a, button, input, label, [popover]");
  if (more) {
    event.preventDefault();
    const link = linkOf(more.closest("tr"));
    const shown = rowsOf(link).length - 1;
    await load(link, more.dataset.showsMore);
    rowsOf(link)[shown]?.querySelector("a")?.focus();
  } else if (row && (!own || own.matches("[data-opens-group]")) && !getSelection().toString()) {
    event.preventDefault();
    toggle(row);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !event.target.matches("[data-opens-group]")) return; // as a button does
  event.preventDefault();
  event.target.click();
});
