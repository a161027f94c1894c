// The two token fields of the rule editor: finding types, and tags or attributes.
import { TokenCombobox, element } from "./tokens.js";

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
  const set = (value, checked) => {
    const box = boxes.find((each) => each.value === value);
    box.checked = checked;
    changed(box);
  };
  return {
    id: "id_types",
    label: "Any of these types",
    attributes: validity(field, "id_types"),
    many: true,
    placeholder: (chosen) => (chosen ? "Add type" : "Select finding types"),
    nothing: (typed) => `No types match “${typed}”`,
    chosen: () => boxes.filter((box) => box.checked).map((box) => ({ value: box.value, label: parts(box)[1].cloneNode(true) })),
    options: async (typed) => boxes
      .filter((box) => parts(box)[1].textContent.toLowerCase().includes(typed.toLowerCase()))
      .map((box) => ({
        value: box.value, label: parts(box)[1].cloneNode(true), hint: parts(box)[2].textContent, chosen: box.checked,
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

// What was typed stands out in what it found.
function marked(value, typed) {
  const at = value.toLowerCase().indexOf(typed.toLowerCase());
  if (!typed || at < 0) return element("span", {}, value);
  const mark = element("mark", {}, value.slice(at, at + typed.length));
  return element("span", {}, value.slice(0, at), mark, value.slice(at + typed.length));
}

function quoted(term) {
  const [, key, value] = /^([^:]+:)(.*)$/s.exec(term) ?? [null, "", term];
  return key && /\s/.test(value) && !/^["[({]/.test(value) ? `${key}"${value.replaceAll('"', '\\"')}"` : term;
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
    hints: [document.getElementById("terms-hints").content.cloneNode(true)],
    placeholder: () => "key:value or @attribute:value",
    nothing: (typed) => (typed ? `No values match “${typed}”` : ""),
    chosen: () => terms.map((term) => ({ value: term, label: term })),
    options: async (typed) => {
      const answer = await fetch(`${field.dataset.suggest}?${new URLSearchParams({ typed })}`);
      if (!answer.ok) return [];
      return (await answer.json()).suggestions.map(({ text: value, hint }) => (
        { value, label: marked(value, typed), hint, incomplete: value.endsWith(":") }
      ));
    },
    add: (typed) => {
      const term = quoted(typed);
      if (!TERM.test(term)) return `“${typed}” is not a tag or attribute. Use key:value.`;
      if (!terms.includes(term)) terms.push(term);
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
    if (terms) new TokenCombobox(host, termsSource(field, text, terms));
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
new TokenCombobox(types.querySelector(".combobox"), typesSource(types));
queryField(document.getElementById("field-query"));
