// A field of one value: the field shows what is chosen, and searches while one types. The value
// is kept by the source:
//   chosen()         {value, label} or null; set(option), null for none
//   optional         whether there may be none
//   unknown(typed)   why it takes no such text; free: the text itself is the value
import { Combobox } from "./combobox.js";
import { element, icon } from "./dom.js";

export class ChoiceField {
  constructor(host, source) {
    this.source = source;
    this.input = element("input", {
      type: "text", class: "input", id: source.id, spellcheck: "false", autocapitalize: "off", "aria-label": source.label,
      placeholder: source.placeholder, ...source.attributes,
    });
    this.clearing = element("button", { type: "button", class: "choice-clear", "aria-label": `Clear ${source.label}` }, icon("x"));
    this.box = element("div", { class: "choice-field" }, this.input, this.clearing, icon("chevron-down"));
    host.replaceChildren(this.box);
    this.combobox = new Combobox(this.input, this.fieldSource(), { anchor: this.box });
    this.input.addEventListener("focus", () => this.input.select());
    this.clearing.addEventListener("click", () => {
      this.set(null);
      this.input.focus();
    });
    this.show();
  }

  get text() {
    return this.source.chosen()?.label ?? "";
  }

  // What is chosen is no search: the list begins with all there is.
  typed() {
    const typed = this.input.value.trim();
    return typed === this.text ? "" : typed;
  }

  fieldSource() {
    return {
      ...this.source,
      typed: () => this.typed(),
      pick: (option) => this.set(option),
      take: (typed) => this.take(typed),
      restore: () => {
        const differs = this.input.value !== this.text;
        this.show();
        return differs;
      },
    };
  }

  take(typed) {
    if (typed) return this.source.free ? this.set({ value: typed, label: typed }) : this.source.unknown(typed);
    if (!this.input.value.trim() && this.source.optional && this.text) return this.set(null);
    this.show();
    return "";
  }

  set(option) {
    this.source.set(option);
    this.show();
    this.combobox.problem.forget();
    return "";
  }

  show() {
    this.input.value = this.text;
    this.input.title = this.text;
    this.clearing.hidden = !this.source.optional || !this.text || this.input.matches(":disabled");
  }
}
