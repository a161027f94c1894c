// The query bar as a combobox: suggestions for the word at the caret. The text stays one plain
// field. Tab completes. Enter completes a term that one has begun, `team:pay` or `@tick`, or has
// gone to by the arrows; a word without a colon is searched for as it is, and so is a whole term.
import { Combobox } from "./combobox.js";
import { marked } from "./dom.js";

const input = document.getElementById("q");
const WORD = /[^\s()"]*(?:"[^"]*)?$/;
const IS_TERM = /^-?(@|[^:]+:)/;

const word = () => WORD.exec(input.value.slice(0, input.selectionStart))[0];

async function suggested(typed, signal) {
  if (!typed) return [];
  const answer = await fetch(`${input.dataset.suggest}?${new URLSearchParams({ typed })}`, { signal });
  if (!answer.ok) throw new Error(answer.status);
  const { suggestions } = await answer.json();
  return suggestions.map(({ text, hint, note }) => (
    { value: text, label: marked(text, typed), hint, note, incomplete: text.endsWith(":") }
  ));
}

// Nothing is left to complete in a value that is there as it is typed.
async function options(typed, signal) {
  const found = await suggested(typed, signal);
  return found.some(({ value }) => value === typed) ? [] : found;
}

// A key that waits for its value goes on suggesting; anything else is searched for.
function pick({ value, incomplete }) {
  const caret = input.selectionStart;
  input.setRangeText(value + (incomplete ? "" : " "), caret - word().length, caret, "end");
  if (!incomplete) input.dispatchEvent(new Event("change", { bubbles: true }));
}

function restore() {
  const had = input.value !== "";
  input.value = "";
  if (had) input.dispatchEvent(new Event("change", { bubbles: true }));
  return had;
}

if (input) {
  const source = {
    label: "Suggestions",
    isText: true,
    free: true,
    wait: 120,
    typed: word,
    options,
    nothing: () => "",
    pick,
    take: () => "",
    restore,
    enters: (option, { hasWalked }) => hasWalked || IS_TERM.test(word()),
  };
  const hints = document.getElementById("search-hints").content.firstElementChild.cloneNode(true);
  new Combobox(input, source, { anchor: input.closest(".query"), hints, className: "suggestions mono" });
}
