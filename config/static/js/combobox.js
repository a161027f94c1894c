// Every combobox of the product: a text field with a list of what it may mean. It follows the
// ARIA pattern "editable combobox with list autocomplete": the focus stays in the field, the
// active option is its aria-activedescendant. As one types the first match is active, an exact
// one before it; Enter and Tab commit it, or the source says why not. Escape closes the list, and
// then undoes what was typed. It is our own: config/runtime/README.md says why not @github/combobox-nav.
//
// A source knows what may be chosen and where it is kept:
//   label, typed()            of the field; the text that asks
//   options(typed, signal)    [{value, label, name, hint, chosen?, incomplete?, added?}], or a
//                             promise of it; the message of what it throws stands in the list
//   nothing(typed)            a sentence for an empty list; "" shows no list
//   pick(option)              chooses it; a sentence refuses it
//   take(typed)               Enter, or leaving, with no option active; a sentence refuses it
//   restore()                 the second Escape; answers whether there was something to undo
//   many, wait                several may be chosen, one after the other; ms before it is asked
//   free, manual              what is typed is a value; nothing is active unless one goes there
//   isText, isLinks           the field is a text of its own; the options are links
import { Asking } from "./asking.js";
import { press } from "./keys.js";
import { Listbox } from "./listbox.js";
import { Problem } from "./problem.js";

export class Combobox extends Asking {
  constructor(input, source, { anchor = input, ...looks } = {}) {
    super();
    Object.assign(this, { input, source });
    this.box = new Listbox(anchor, { label: source.label, many: source.many, ...looks });
    this.problem = new Problem(input, this.box.popup);
    const { id } = this.box.list;
    const aria = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": this.box.isInline, "aria-controls": id };
    for (const [name, value] of Object.entries(aria)) input.setAttribute(name, value);
    input.autocomplete = "off";
    this.listen();
  }

  listen() {
    const { input, source, box } = this;
    const own = (event) => { if (!source.isText) event.stopPropagation(); }; // it is no value of the form
    const type = () => { this.problem.clear(); this.open(source.isLinks ? 0 : -1); };
    input.addEventListener("input", (event) => { own(event); if (!event.isComposing) type(); });
    input.addEventListener("compositionend", type);
    input.addEventListener("change", own);
    input.addEventListener("click", () => { if (!box.isOpen && !source.isText) this.open(-1); });
    input.addEventListener("keydown", (event) => press(this, event));
    for (const part of [input, box.popup]) part.addEventListener("focusout", (event) => this.leave(event));
    box.popup.addEventListener("mousedown", (event) => event.preventDefault());
    box.list.addEventListener("click", ({ target }) => {
      const at = box.rows.indexOf(target.closest("[role=option]"));
      if (at >= 0 && this.answered !== null && !source.isLinks) this.commit(at);
    });
    box.retry.addEventListener("click", () => { input.focus(); this.ask(); });
  }

  // first: the option to be active if nothing is typed; -2 is the last one.
  open(first) {
    this.first = first;
    this.isMoved = first !== -1;
    this.ask();
  }

  unfold(sentence, { canRetry = false } = {}) {
    this.box.open();
    this.box.say(sentence, { canRetry });
    this.input.setAttribute("aria-expanded", "true");
  }

  close() {
    this.asked?.abort();
    this.box.close();
    this.point(-1);
    if (!this.box.isInline) this.input.setAttribute("aria-expanded", "false");
  }

  point(index) {
    this.input.setAttribute("aria-activedescendant", this.box.point(index));
  }

  // In a field of many the list stays, and the option stays active in it, until one moves on.
  commit(index, { stays = true } = {}) {
    const option = this.options[index];
    const wasTyped = Boolean(this.source.typed());
    const refusal = this.source.pick(option);
    this.problem.show(refusal);
    this.isMoved = false;
    this.first = wasTyped ? -1 : index;
    if (option.incomplete || (this.source.many && stays && !refusal)) this.ask();
    else this.close();
  }

  // What was typed stands for itself, unless the source must know first what there is.
  take() {
    const typed = this.source.typed();
    const { free } = this.source;
    if (typed && !free && this.isMoved && this.box.active >= 0) return this.commit(this.box.active, { stays: false });
    if (typed && !free && this.answered !== typed && !this.hasFailed) {
      this.isDue = true;
      if (this.asked?.signal.aborted ?? true) this.ask();
      return;
    }
    this.problem.show(this.source.take(typed));
    this.close();
  }

  leave({ relatedTarget }) {
    if (this.box.isInline || this.isHere || relatedTarget === this.input || this.box.popup.contains(relatedTarget)) return;
    this.take();
  }
}
