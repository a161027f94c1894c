// A file dropped anywhere on the form's box is the chosen one.
import { announce } from "./announce.js";
import "./busy.js";

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
