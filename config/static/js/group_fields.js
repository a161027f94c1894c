// The fields that a rule groups by: up to three chips over the three text fields of the form.
import { ChipField } from "./chips.js";
import { changed, marked } from "./dom.js";
import { words } from "./words.js";

const host = document.getElementById("group-fields-chosen");
const part = host?.closest(".if-other");
const inputs = [...part?.querySelectorAll("input[data-chip]") ?? []];
const known = [...part?.querySelectorAll("datalist option") ?? []];
const PLACEHOLDERS = ["Add a field", "Add a second field", "Add a third field", ""];
const FIELD = /^(tag:[^\s:"]+|@[^\s".]+(\.[^\s".]+)*)$/;

const values = () => inputs.map((input) => input.value.trim()).filter(Boolean);
const like = (one) => (other) => one.toLowerCase() === other.toLowerCase();
const named = (typed) => known.map(({ value }) => value).find(like(typed)) ?? typed;

function store(next) {
  inputs.forEach((input, at) => {
    input.value = next[at] ?? "";
    input.removeAttribute("aria-invalid");
  });
  for (const error of part.querySelectorAll(".error:not([role])")) error.remove(); // the server's
  changed(inputs[0]);
}

function add(typed) {
  const value = named(typed);
  const isKnown = known.some((option) => option.value === value);
  if (!isKnown && !FIELD.test(value)) return `“${typed}” is not a field. A tag is tag:key, an attribute @name.`;
  if (values().some(like(value))) return "";
  if (values().length === inputs.length) return `A ticket can be grouped by ${inputs.length} fields at most.`;
  store([...values(), value]);
  return "";
}

// Keys of tags and attributes, as the findings have them.
async function keys(typed, signal) {
  if (!typed) return [];
  const query = new URLSearchParams({ typed: typed.replace(/^tag:/, "") });
  const answer = await fetch(`${host.dataset.suggest}?${query}`, { signal });
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).suggestions.filter(({ text }) => text.endsWith(":")).map(({ text, hint }) => {
    const key = text.slice(0, -1);
    return { value: key.startsWith("@") ? key : `tag:${key}`, hint };
  });
}

async function options(typed, signal) {
  const present = known
    .map(({ value, label }) => ({ value, hint: like(value)(label) ? "" : label }))
    .filter(({ value, hint }) => `${value} ${hint}`.toLowerCase().includes(typed.toLowerCase()));
  const found = [...present, ...await keys(typed, signal)].filter(({ value }) => !values().some(like(value)));
  return found.map((each) => ({ ...each, label: marked(each.value, typed) }));
}

// The links of the error summary lead to the chip of the field that is wrong.
function chosen() {
  return values().map((value, at) => ({ value, label: value, isWrong: inputs[at].ariaInvalid === "true" }));
}

if (host) {
  const errors = [...part.querySelectorAll(".triple .error")];
  const described = errors.map(({ id }) => id).join(" ");
  inputs.forEach((input) => { input.id += "_value"; });
  new ChipField(host, {
    id: "id_group_field_1",
    label: "Fields to group by",
    attributes: described ? { "aria-invalid": "true", "aria-describedby": described } : {},
    free: true,
    wait: 120,
    split: (text) => words(text, /[,\n]/),
    placeholder: (number) => PLACEHOLDERS[number],
    nothing: (typed) => (typed ? `No values match “${typed}”` : ""),
    chosen,
    options,
    add,
    remove: (value) => store(values().filter((each) => each !== value)),
  });
  host.append(...errors);
  part.querySelector(".triple").hidden = true;
}
