// What builds pieces of a page.

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Icons come from the page, which knows the sprite's address: <template id="icon-x">.
export function icon(name) {
  return document.getElementById(`icon-${name}`).content.firstElementChild.cloneNode(true);
}

// What was typed stands out in what it found.
export function marked(text, typed) {
  const at = typed ? text.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  if (at < 0) return element("span", {}, text);
  const end = at + typed.length;
  return element("span", {}, text.slice(0, at), element("mark", {}, text.slice(at, end)), text.slice(end));
}

// A control that was changed by us says so, as if a person had done it.
export function changed(control) {
  for (const name of ["input", "change"]) control.dispatchEvent(new Event(name, { bubbles: true }));
}
