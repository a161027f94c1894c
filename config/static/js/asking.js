// The half of a combobox that asks its source what a text may mean, and takes the answer.
import { announce } from "./announce.js";

const SLOW = 200; // ms, before we say that something loads

export class Asking {
  options = [];
  answered = null; // the text that `options` are for; null while nothing is known
  first = -1; // the option that is active if nothing is typed; -2 is the last one
  hasFailed = false;
  isDue = false; // to be committed as soon as the answer is there
  hasWalked = false; // whether a person went there by the arrows
  isMoved = false; // whether the active option is one that a person typed for, or went to

  // The answer to an older text is never shown: asking again, and closing, end what was asked.
  async ask() {
    this.asked?.abort();
    const { signal } = this.asked = new AbortController();
    const { source } = this;
    const typed = source.typed();
    Object.assign(this, { answered: null, hasFailed: false, hasWalked: false });
    this.point(-1);
    const slow = setTimeout(() => this.isHere && !signal.aborted && this.unfold("Loading…"), (source.wait ?? 0) + SLOW);
    try {
      if (source.wait) await new Promise((done) => setTimeout(done, source.wait));
      if (signal.aborted) return;
      const options = await source.options(typed, signal);
      if (!signal.aborted) this.answer(options, typed);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    } finally {
      clearTimeout(slow);
    }
  }

  get isHere() {
    return document.activeElement === this.input;
  }

  fail(error) {
    Object.assign(this, { hasFailed: true, options: [] });
    this.box.draw([]);
    const isNetwork = error instanceof TypeError || !error.isSaid;
    const sentence = isNetwork ? "The list could not be loaded." : error.message;
    if (this.isDue) this.problem.show(sentence);
    this.isDue = false;
    if (this.isHere) this.unfold(sentence, { canRetry: true });
  }

  answer(options, typed) {
    const { source, box } = this;
    Object.assign(this, { options, answered: typed });
    box.draw(options);
    const matched = typed && !source.manual ? this.best(typed) : this.first;
    const wanted = matched === -2 ? options.length - 1 : Math.min(matched, options.length - 1);
    if (this.isDue) return this.settle(typed, wanted);
    const nothing = options.some(({ added }) => !added) ? "" : source.nothing(typed);
    if (!this.isHere || (!options.length && !nothing)) return this.close();
    this.unfold(nothing);
    this.point(wanted);
    if (typed) this.isMoved = true;
    if (options.length) announce(`${options.length} option${options.length === 1 ? "" : "s"}`);
  }

  best(typed) {
    const like = typed.toLowerCase();
    const isLeft = ({ chosen }) => !(this.source.many && chosen); // what is typed never removes
    const isExact = ({ value, name, added }) => !added && [value, name].some((text) => text?.toLowerCase() === like);
    const exact = this.options.findIndex((option) => isExact(option) && isLeft(option));
    return exact >= 0 ? exact : this.options.findIndex(isLeft);
  }

  // Enter came, or the focus went, before the answer did.
  settle(typed, wanted) {
    this.isDue = false;
    if (wanted >= 0) this.commit(wanted, { stays: this.isHere });
    else this.problem.show(this.source.take(typed));
    if (!this.isHere) this.close();
  }
}
