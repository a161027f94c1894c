// The keys of a combobox, and of the chips before one.

const PAGE = 8;

export function press(combobox, event) {
  if (event.isComposing || event.keyCode === 229) return; // they belong to the input method
  if (event.ctrlKey || event.metaKey) return;
  const does = { Enter: enter, Tab: tab, Escape: escape }[event.key] ?? move;
  if (!does(combobox, event)) return;
  event.preventDefault();
  event.stopPropagation();
}

function move(combobox, { key, altKey }) {
  const { box, options, source } = combobox;
  const isArrow = key === "ArrowDown" || key === "ArrowUp";
  if (!box.isOpen) {
    if (isArrow) combobox.open(altKey ? -1 : key === "ArrowDown" ? 0 : -2);
    return isArrow;
  }
  if (altKey && key === "ArrowUp") return combobox.close() ?? true;
  const count = options.length;
  if (!count || combobox.answered === null) return isArrow;
  const here = box.active;
  const to = {
    ArrowDown: (here + 1) % count,
    ArrowUp: (Math.max(here, 0) - 1 + count) % count,
    PageDown: Math.min(Math.max(here, 0) + PAGE, count - 1),
    PageUp: Math.max(here - PAGE, 0),
    ...(source.isText ? {} : { Home: 0, End: count - 1 }),
  }[key];
  if (to === undefined) return false;
  combobox.isMoved = combobox.hasWalked = true;
  combobox.point(to);
  return true;
}

function enter(combobox, event) {
  const { box, source } = combobox;
  if (box.active >= 0 && (source.enters?.(combobox.options[box.active], combobox) ?? true)) {
    combobox.commit(box.active);
  } else if (combobox.hasFailed && box.isOpen) combobox.ask();
  else if (source.isText) return combobox.close(), false;
  else {
    combobox.take();
    return !source.manual; // a plain text field sends its form
  }
  return true;
}

// In a field of one value Tab moves on; in a field of many it stays for the next one.
function tab(combobox, { shiftKey }) {
  const { box, source, options } = combobox;
  if (shiftKey || box.active < 0 || !combobox.isMoved) return false;
  const { incomplete } = options[box.active];
  combobox.commit(box.active, { stays: false });
  return Boolean(incomplete || source.stays || source.isText);
}

function escape(combobox) {
  if (combobox.box.isInline) return false;
  if (combobox.box.isOpen) return combobox.close() ?? true;
  combobox.problem.clear();
  return combobox.source.restore();
}

// Chips are buttons in a row before the field: arrows walk them, Delete and Backspace remove one
// and go on to its neighbour, and letters go to the field.
export function walkChips(input, chips, drop) {
  input.addEventListener("keydown", (event) => {
    const isAtStart = input.selectionStart === 0 && input.selectionEnd === 0;
    const leads = event.key === "ArrowLeft" ? isAtStart : event.key === "Backspace" && !input.value;
    if (!leads || event.isComposing || !chips().length) return;
    event.preventDefault();
    chips().at(-1).focus();
  });
  return (event) => {
    const all = chips();
    const here = all.indexOf(event.target.closest("li, .token")?.querySelector("[data-removes]"));
    if (here < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === "Delete" || key === "Backspace") {
      drop(all[here]);
      const left = chips();
      (left[key === "Delete" ? here : Math.max(here - 1, 0)] ?? input).focus();
    } else if (key === "ArrowLeft") all[Math.max(here - 1, 0)].focus();
    else if (key === "ArrowRight") (all[here + 1] ?? input).focus();
    else if (key === "Home") all[0].focus();
    else if (key === "End") input.focus();
    else if (key.length === 1 && key !== " ") return input.focus(); // which then gets the letter
    else return;
    event.preventDefault();
  };
}
