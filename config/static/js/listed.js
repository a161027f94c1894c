// Controls with a list, on a page and in what is swapped into it: what makes comboboxes of them is
// fetched where there are some.
import { LISTED } from "./controls.js";

async function look(within) {
  if (!within.querySelector(LISTED)) return;
  const { enhanceAll } = await import("./fields.js");
  enhanceAll(within);
}

look(document);
document.addEventListener("htmx:afterSwap", ({ target }) => look(target.isConnected ? target : document));
