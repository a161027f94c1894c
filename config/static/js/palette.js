// ⌘K or Ctrl K: jump to a page, rule, case or finding. The server says what the letters may mean,
// and Enter goes to the first of it.
const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
let said = ""; // instead of results
let combobox = null; // fetched when it is opened first

async function options(typed, signal) {
  const address = `${input.form.action}?${new URLSearchParams({ q: typed })}`;
  const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal });
  if (!answer.ok) throw new Error(answer.status);
  const part = document.createElement("template");
  part.innerHTML = await answer.text();
  said = part.content.querySelector("p")?.textContent ?? "";
  return [...part.content.querySelectorAll("a")].map((node) => ({ value: node.getAttribute("href"), node }));
}

const source = {
  label: "Results",
  isText: true,
  isLinks: true,
  wait: 120,
  typed: () => input.value.trim(),
  options,
  nothing: (typed) => said || `Nothing matches “${typed}”`,
  pick: ({ node }) => node.click(),
  take: () => "",
  restore: () => false,
};

async function open() {
  input.value = "";
  dialog.showModal();
  combobox ??= import("./combobox.js").then(({ Combobox }) => new Combobox(input, source, { list }));
  (await combobox).open(0);
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey) return;
  event.preventDefault();
  dialog.open ? dialog.close() : open();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-opens-palette]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  open();
});
