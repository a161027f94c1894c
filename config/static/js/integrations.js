// data-copies="id" copies a field; data-busy="Testing…" says that the form is on its way.
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

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.busy) return;
  button.style.minWidth = `${button.offsetWidth}px`;
  button.textContent = button.dataset.busy;
  button.setAttribute("aria-busy", "true");
});

// Data Center signs in with the token alone.
const kind = document.getElementById("id_deployment");
const email = document.getElementById("id_email")?.closest(".field");
if (kind && email) {
  const show = () => { email.hidden = kind.value === "data_center"; };
  kind.addEventListener("change", show);
  show();
}
