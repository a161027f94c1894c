// The Jira half of the rule editor: comboboxes over the form's own controls, also after a swap.
//   select[data-search]       one or many of what the server finds for what is typed
//   select[data-combobox]     one or many of the options that are there
//   input[data-labels]        words, each a token
import { TokenCombobox, element } from "./tokens.js";

function changed(control) {
  control.dispatchEvent(new Event("input", { bubbles: true }));
  control.dispatchEvent(new Event("change", { bubbles: true }));
}

const labelOf = (control) => control.labels[0]?.firstChild.textContent.trim() || control.getAttribute("aria-label");

function attributes(control) {
  const copied = {};
  for (const name of ["aria-invalid", "aria-describedby"]) {
    if (control.hasAttribute(name)) copied[name] = control.getAttribute(name);
  }
  return copied;
}

async function found(select, typed) {
  const address = new URL(select.dataset.search, location);
  address.searchParams.set("typed", typed);
  const answer = await fetch(address);
  if (!answer.ok) return { problem: "Jira did not answer.", choices: [] };
  return answer.json();
}

// What the options of the select are without asking anybody.
function present(select, typed) {
  const like = typed.toLowerCase();
  return [...select.options]
    .filter((option) => option.value && option.label.toLowerCase().includes(like))
    .map(({ value, label }) => ({ value, label }));
}

function optionFor(select, { value, label }) {
  const there = [...select.options].find((option) => option.value === value);
  return there ?? select.appendChild(element("option", { value }, label));
}

function selectSource(select) {
  let problem = "";
  let known = [];
  const chosen = () => [...select.selectedOptions].filter(({ value }) => value);
  const set = (value, on) => {
    const option = optionFor(select, known.find((each) => each.value === value) ?? { value, label: value });
    if (!select.multiple) select.value = on ? value : "";
    else option.selected = on;
    changed(select);
  };
  return {
    id: select.id,
    label: labelOf(select),
    attributes: attributes(select),
    many: select.multiple,
    placeholder: (number) => (number && !select.multiple ? "" : select.dataset.placeholder ?? "Select a value"),
    nothing: (typed) => problem || `Nothing matches “${typed}”`,
    chosen: () => chosen().map(({ value, label }) => ({ value, label })),
    options: async (typed) => {
      if (select.dataset.search) ({ choices: known, problem = "" } = await found(select, typed));
      else known = present(select, typed);
      const there = new Set(chosen().map(({ value }) => value));
      return known.map(({ value, label, hint = "" }) => ({ value, label, hint, chosen: there.has(value) }));
    },
    add: (value) => set(value, true),
    remove: (value) => set(value, false),
  };
}

function labelsSource(input) {
  const words = () => input.value.split(/[\s,]+/).filter(Boolean);
  const store = (next) => {
    input.value = next.join(" ");
    changed(input);
  };
  return {
    id: input.id,
    label: labelOf(input),
    attributes: attributes(input),
    free: true,
    placeholder: (number) => (number ? "" : "Add a label"),
    nothing: () => "",
    chosen: () => words().map((word) => ({ value: word, label: word })),
    options: async () => [],
    add: (typed) => {
      if (/\s/.test(typed.replace(/\{\{.*?\}\}/g, ""))) return "A label has no spaces.";
      if (!words().includes(typed)) store([...words(), typed]);
      return "";
    },
    remove: (word) => store(words().filter((each) => each !== word)),
  };
}

function enhance(control, source) {
  const had = control === document.activeElement || control.hasAttribute("autofocus");
  const host = element("div", { class: control.multiple || control.matches("input") ? "combobox" : "combobox single" });
  const made = source(control);
  control.dataset.ready = "";
  control.id = `${control.id}_value`; // the field takes it
  control.hidden = true;
  control.after(host);
  const box = new TokenCombobox(host, made);
  if (had) box.input.focus();
}

function all(within) {
  for (const select of within.querySelectorAll("select:is([data-search], [data-combobox]):not([data-ready])")) {
    enhance(select, selectSource);
  }
  for (const input of within.querySelectorAll("input[data-labels]:not([data-ready])")) enhance(input, labelsSource);
}

all(document);
document.addEventListener("htmx:afterSwap", ({ target }) => all(target.isConnected ? target : document));
