// A file dropped anywhere on the form's box is the chosen one; the button says it is on its way.
import { announce } from "./announce.js";

const box = document.querySelector("[data-drop]");
const input = box.querySelector("input[type=file]");

for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  box.addEventListener(name, (event) => {
    event.preventDefault();
    box.classList.toggle("over", name === "dragenter" || name === "dragover");
  });
}
box.addEventListener("drop", ({ dataTransfer }) => {
  if (!dataTransfer.files.length) return;
  const one = new DataTransfer();
  one.items.add(dataTransfer.files[0]);
  input.files = one.files;
  announce(`${one.files[0].name} chosen`);
});

document.querySelector("[data-upload]").addEventListener("submit", ({ submitter }) => {
  if (!submitter?.dataset.busy) return;
  submitter.style.minWidth = `${submitter.offsetWidth}px`;
  submitter.textContent = submitter.dataset.busy;
  submitter.setAttribute("aria-busy", "true");
});
