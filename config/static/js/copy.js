// data-copies="id" copies a field.
import { announce } from "./announce.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(field.value);
    announce("Copied");
  } catch {
    field.select(); // no clipboard without https: the person copies it
    announce("Selected. Copy it with the keyboard.");
  }
});
