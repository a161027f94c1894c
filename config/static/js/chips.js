// A field of many values: each a chip with a button that removes it, then a combobox for more.
// The source is a combobox's, and keeps the values in the form's own controls:
//   chosen()                 [{value, label: string | Node, isWrong?}]
//   add(value, option)       a sentence when it refuses the value; remove(value)
//   placeholder(number)      with so many chosen
//   split(text)              of what is pasted or typed with commas; null if it is not finished
import { announce } from "./announce.js";
import { Combobox } from "./combobox.js";
import { element, icon } from "./dom.js";
import { walkChips } from "./keys.js";

export class ChipField {
  constructor(host, source, { hints = null, className = "" } = {}) {
    this.source = source;
    this.input = element("input", {
      type: "text", id: source.id, spellcheck: "false", autocapitalize: "off", "aria-label": source.label, ...source.attributes,
    });
    this.box = element("div", { class: "tokens" }, this.input, icon("chevron-down"));
    host.replaceChildren(this.box);
    this.combobox = new Combobox(this.input, this.fieldSource(), { anchor: this.box, hints, className });
    this.listen();
    this.show();
  }

  // What the combobox asks of the source, with the text of the field.
  fieldSource() {
    const { source } = this;
    return {
      ...source,
      many: !source.free, // the list stays where it is all there is
      stays: true,
      typed: () => this.input.value.trim(),
      pick: (option) => {
        this.input.value = option.incomplete ? option.value : "";
        if (option.incomplete) return "";
        return option.chosen ? this.drop(option.value) : this.add(option.value, option);
      },
      take: (typed) => this.takeText(typed),
      restore: () => {
        const had = this.input.value !== "";
        this.input.value = "";
        return had;
      },
    };
  }

  listen() {
    this.box.addEventListener("mousedown", (event) => {
      if (event.target.closest("button, input")) return;
      event.preventDefault();
      this.input.focus();
      if (!this.combobox.box.isOpen) this.combobox.open(-1);
    });
    this.box.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-removes]");
      if (!button) return;
      this.drop(button.dataset.removes);
      this.input.focus();
    });
    const remove = (button) => this.drop(button.dataset.removes);
    this.box.addEventListener("keydown", walkChips(this.input, () => this.buttons, remove));
    if (!this.source.free) return;
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "," || event.isComposing || !this.source.split(this.input.value)) return;
      event.preventDefault();
      this.combobox.problem.show(this.takeText(this.input.value.trim()));
      this.combobox.close();
    });
    this.input.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text");
      const parts = this.source.split(text);
      if (this.input.value || !parts || parts.length < 2) return;
      event.preventDefault();
      this.combobox.problem.show(this.takeAll(parts));
      this.combobox.close();
    });
  }

  get buttons() {
    return [...this.box.querySelectorAll("[data-removes]")];
  }

  takeText(typed) {
    if (!typed) return "";
    if (!this.source.free) return this.source.unknown(typed);
    return this.takeAll(this.source.split(typed) ?? [typed]);
  }

  // Those that are refused stay in the field, and the first sentence says why.
  takeAll(parts) {
    const trimmed = parts.map((part) => part.trim()).filter(Boolean);
    const refused = trimmed.map((part) => [part, this.add(part)]).filter(([, sentence]) => sentence);
    this.input.value = refused.map(([part]) => part).join(", ");
    return refused[0]?.[1] ?? "";
  }

  add(value, option) {
    const before = this.buttons.length;
    const refusal = this.source.add(value, option);
    if (refusal) {
      this.input.value = value;
      return refusal;
    }
    this.show();
    this.combobox.problem.forget();
    if (this.buttons.length > before) announce(`Added ${option?.name ?? value}`);
    return "";
  }

  drop(value) {
    const button = this.buttons.find(({ dataset }) => dataset.removes === value);
    this.source.remove(value);
    this.show();
    this.combobox.problem.forget();
    announce(button.getAttribute("aria-label").replace("Remove", "Removed"));
    return "";
  }

  show() {
    for (const chip of this.box.querySelectorAll(".token")) chip.remove();
    const chosen = this.source.chosen();
    this.input.before(...chosen.map(({ value, label, isWrong = false }) => {
      const name = typeof label === "string" ? label : label.textContent.trim();
      const button = element("button", { type: "button", "aria-label": `Remove ${name}`, "data-removes": value }, icon("x"));
      const text = element("span", { class: "clip" }, label);
      return element("span", { class: `token ${this.source.free ? "mono" : ""} ${isWrong ? "error" : ""}` }, text, button);
    }));
    this.input.placeholder = this.source.placeholder(chosen.length);
  }
}
