// What comboboxes over the form's own controls choose from, and where they keep it.
import { changed, element, marked } from "./dom.js";
import { words } from "./words.js";

const DESCRIBED = ["aria-invalid", "aria-describedby", "disabled"];

function looks(control) {
  const attributes = {};
  for (const name of DESCRIBED) if (control.hasAttribute(name)) attributes[name] = control.getAttribute(name);
  const label = control.getAttribute("aria-label") ?? control.labels[0]?.firstChild.textContent.trim();
  return { id: control.id, label, attributes, unknown: (typed) => `No values match “${typed}”. Choose one of the list.` };
}

async function found(select, typed, signal) {
  const address = new URL(select.dataset.search, location);
  address.searchParams.set("typed", typed);
  const answer = await fetch(address, { signal });
  const { choices = [], problem = "" } = answer.ok ? await answer.json() : { problem: "Jira did not answer." };
  if (problem && !choices.length) throw Object.assign(new Error(problem), { isSaid: true });
  return choices;
}

const nameOf = (option) => option.label || option.value;
const groupOf = (option) => option.parentElement.label ?? ""; // of an <optgroup>

// Those that begin with what is typed come before those that only hold it.
function present(options, typed) {
  const like = typed.toLowerCase();
  const at = (option) => nameOf(option).toLowerCase().indexOf(like);
  return [...options]
    .filter((option) => option.value && at(option) >= 0)
    .sort((one, other) => (at(one) > 0) - (at(other) > 0))
    .map((option) => ({ value: option.value, label: nameOf(option), hint: groupOf(option) }));
}

function optionFor(select, { value, name }) {
  const there = [...select.options].find((option) => option.value === value);
  return there ?? select.appendChild(element("option", { value }, name));
}

const chosenOf = (select) => [...select.selectedOptions].filter(({ value }) => value);

function selectSource(select) {
  return {
    ...looks(select),
    wait: select.dataset.search ? 120 : 0,
    nothing: (typed) => (typed ? `No values match “${typed}”` : "There is nothing to choose from"),
    options: async (typed, signal) => {
      const known = select.dataset.search ? await found(select, typed, signal) : present(select.options, typed);
      const chosen = new Set(chosenOf(select).map(({ value }) => value));
      return known.map((each) => ({ ...each, name: each.label, label: marked(each.label, typed), chosen: chosen.has(each.value) }));
    },
  };
}

export function oneOf(select) {
  return {
    ...selectSource(select),
    placeholder: select.dataset.placeholder ?? select.querySelector("option[value='']")?.label ?? "Select a value",
    optional: Boolean(select.querySelector("option[value='']")),
    chosen: () => chosenOf(select)[0] ?? null,
    set: (option) => {
      if (option) optionFor(select, option).selected = true;
      else select.value = "";
      changed(select);
    },
  };
}

export function manyOf(select) {
  const set = (option, on) => {
    optionFor(select, option).selected = on;
    changed(select);
  };
  return {
    ...selectSource(select),
    placeholder: () => select.dataset.placeholder ?? "Select a value",
    chosen: () => chosenOf(select).map(({ value, label }) => ({ value, label })),
    add: (value, option) => set(option, true),
    remove: (value) => set({ value }, false),
  };
}

// A list of ids shows the names that they have.
export function proposed(input) {
  const { options } = document.getElementById(input.getAttribute("list"));
  const names = new Map([...options].map((option) => [option.value, nameOf(option)]));
  return {
    ...looks(input),
    free: true,
    manual: [...names].every(([value, name]) => value === name),
    optional: !input.required,
    placeholder: input.placeholder,
    nothing: () => "",
    chosen: () => (input.value ? { value: input.value, label: names.get(input.value) ?? input.value } : null),
    options: (typed) => present(options, typed).map((each) => ({ ...each, name: each.label, label: marked(each.label, typed) })),
    set: (option) => {
      input.value = option?.value ?? "";
      changed(input);
    },
  };
}

export function labels(input) {
  const all = () => words(input.value, /[\s,]/) ?? [];
  const store = (next) => {
    input.value = next.join(" ");
    changed(input);
  };
  return {
    ...looks(input),
    free: true,
    split: (text) => words(text, /[,\n]/),
    placeholder: (number) => (number ? "" : "Add a label"),
    nothing: () => "",
    options: () => [],
    chosen: () => all().map((word) => ({ value: word, label: word })),
    add: (typed) => {
      if (/\s/.test(typed.replace(/\{\{.*?\}\}/g, ""))) return "A label has no spaces.";
      if (!all().includes(typed)) store([...all(), typed]);
    },
    remove: (word) => store(all().filter((each) => each !== word)),
  };
}
