// Controls with a list, on a page and in what is swapped into it: what makes comboboxes of them is
// fetched where there are some. Once it is there, nobody meets a swapped control as it was sent.
import { LISTED } from "./controls.js";

let enhanceAll = null;

async function look(within) {
  if (!within.querySelector(LISTED)) return;
  if (!enhanceAll) ({ enhanceAll } = await import("./fields.js"));
  enhanceAll(within);
}

look(document);
document.addEventListener("htmx:afterSwap", ({ target }) => look(target.isConnected ? target : document));
