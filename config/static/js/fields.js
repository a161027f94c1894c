// Comboboxes over the form's own controls, which keep the values: see controls.js.
import { ChipField } from "./chips.js";
import { ChoiceField } from "./choice.js";
import { element } from "./dom.js";
import { LISTED } from "./controls.js";
import { labels, manyOf, oneOf, proposed } from "./sources.js";

const MOST_NATIVE = 12; // a native list of so many is as quick, and better on a phone

function enhance(control) {
  if (control.dataset.combobox === "long" && control.options.length <= MOST_NATIVE + 1) return;
  const isMany = control.multiple || control.matches("[data-labels]");
  const source = control.matches("select") ? (isMany ? manyOf : oneOf)(control) : (isMany ? labels : proposed)(control);
  const had = control === document.activeElement || control.hasAttribute("autofocus");
  const host = element("div", { class: "combobox" });
  control.dataset.ready = "";
  control.id = `${control.id}_value`; // the field takes it
  control.hidden = true;
  const isRequired = !isMany && control.required;
  control.required = false; // nobody could be led to it
  control.after(host);
  const { input } = new (isMany ? ChipField : ChoiceField)(host, source);
  input.required = isRequired;
  if (had) input.focus();
}

export function enhanceAll(within) {
  for (const control of within.querySelectorAll(LISTED)) if (!("ready" in control.dataset)) enhance(control);
}

enhanceAll(document);
