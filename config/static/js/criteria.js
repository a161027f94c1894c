// The two fields of chips of the rule editor: finding types, and tags or attributes.
import { ChipField } from "./chips.js";
import { element, marked } from "./dom.js";
import { words } from "./words.js";

const TERM = /^-?(@?[^\s:()"]+:\S.*|CIDR\(.+\))$/;

function changed(control) {
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

// What the server said of a field, for the field that stands in its place.
function validity(field, id) {
  return field.querySelector(".error") ? { "aria-invalid": "true", "aria-describedby": `${id}_error` } : {};
}

// --- Any of these types: the checkboxes are the values -----------------------------------

function typesSource(field) {
  const boxes = [...field.querySelectorAll("input[type=checkbox]")];
  const parts = (box) => box.closest("label").children;
  const nameOf = (box) => parts(box)[1].textContent.trim();
  const set = (value, checked) => {
    const box = boxes.find((each) => each.value === value);
    box.checked = checked;
    changed(box);
  };
  return {
    id: "id_types",
    label: "Any of these types",
    attributes: validity(field, "id_types"),
    placeholder: (chosen) => (chosen ? "Add type" : "Select finding types"),
    nothing: (typed) => `No types match “${typed}”`,
    unknown: (typed) => `“${typed}” is not a finding type that is still to be chosen. Choose one of the list.`,
    chosen: () => boxes.filter((box) => box.checked).map((box) => ({ value: box.value, label: parts(box)[1].cloneNode(true) })),
    options: (typed) => boxes
      .filter((box) => nameOf(box).toLowerCase().includes(typed.toLowerCase()))
      .map((box) => ({
        value: box.value, name: nameOf(box), label: parts(box)[1].cloneNode(true), hint: parts(box)[2].textContent, chosen: box.checked,
      })),
    add: (value) => set(value, true),
    remove: (value) => set(value, false),
  };
}

// --- Any of these tags or attributes: the text of the query is the value -------------------

function join(terms) {
  const either = terms.filter((term) => !term.startsWith("-"));
  const none = terms.filter((term) => term.startsWith("-"));
  return [either.length > 1 ? `(${either.join(" OR ")})` : either[0], ...none].filter(Boolean).join(" ");
}

function quoted(term) {
  const [, key, value] = /^([^:]+:)(.*)$/s.exec(term) ?? [null, "", term];
  return key && /\s/.test(value) && !/^["[({]/.test(value) ? `${key}"${value.replaceAll('"', '\\"')}"` : term;
}

function refusalOf(typed) {
  return TERM.test(quoted(typed)) ? "" : `“${typed}” is not a tag or attribute. Use key:value.`;
}

async function suggested(address, typed, signal) {
  const answer = await fetch(`${address}?${new URLSearchParams({ typed })}`, { signal });
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).suggestions;
}

// What is typed can always be chosen as it is, below what begins with it.
function withTyped(options, typed) {
  const isThere = options.some(({ value }) => value === quoted(typed));
  if (!typed || isThere || typed.endsWith(":") || refusalOf(typed)) return options;
  return [...options, { value: quoted(typed), label: element("span", {}, `Add ${typed}`), hint: "", added: true }];
}

function termsSource(field, text, terms) {
  const store = () => {
    text.value = join(terms);
    changed(text);
  };
  return {
    id: "id_query",
    label: "Any of these tags or attributes",
    attributes: validity(field, "id_query"),
    free: true,
    wait: 120,
    split: (typed) => words(typed, /[,\n]/),
    placeholder: () => "key:value or @attribute:value",
    nothing: (typed) => (typed ? `No values match “${typed}”` : ""),
    chosen: () => terms.map((term) => ({ value: term, label: term })),
    options: async (typed, signal) => {
      const found = await suggested(field.dataset.suggest, typed, signal);
      const left = found.filter(({ text }) => !terms.includes(text));
      const options = left.map(({ text, ...rest }) => (
        { ...rest, value: text, label: marked(text, typed), incomplete: text.endsWith(":") }
      ));
      return terms.includes(quoted(typed)) ? options : withTyped(options, typed);
    },
    add: (typed) => {
      const refusal = refusalOf(typed);
      if (refusal) return refusal;
      if (!terms.includes(quoted(typed))) terms.push(quoted(typed));
      store();
      return "";
    },
    remove: (term) => {
      terms.splice(terms.indexOf(term), 1);
      store();
    },
  };
}

function queryField(field) {
  const hints = document.getElementById("terms-hints").content.firstElementChild;
  const text = field.querySelector("textarea");
  const host = field.querySelector(".combobox");
  const asQuery = field.querySelector("[data-as=query]");
  const asList = field.querySelector("[data-as=list]");
  const note = field.querySelector(".query-note");
  const show = (terms) => {
    field.classList.toggle("as-query", !terms);
    asQuery.hidden = !terms;
    asList.hidden = Boolean(terms);
    text.id = terms ? "id_query_text" : "id_query"; // the label follows what is shown
    if (terms) new ChipField(host, termsSource(field, text, terms), { hints: hints.cloneNode(true) });
    else host.replaceChildren();
  };
  asQuery.addEventListener("click", () => { show(null); text.focus(); });
  asList.addEventListener("click", async () => {
    const answer = await fetch(`${field.dataset.terms}?${new URLSearchParams({ query: text.value })}`);
    const { terms } = answer.ok ? await answer.json() : { terms: null };
    note.hidden = Boolean(terms);
    if (!terms) return;
    show(terms);
    document.getElementById("id_query").focus();
  });
  show(JSON.parse(field.dataset.chosen));
}

const types = document.getElementById("field-types");
types.querySelector(".checks").removeAttribute("id"); // the combobox takes it
new ChipField(types.querySelector(".combobox"), typesSource(types));
queryField(document.getElementById("field-query"));
