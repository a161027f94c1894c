// The box over a long facet: hides what does not contain what is typed. Of a facet that has more
// values than the page, the server is asked for the others.
import { announce } from "./announce.js";

const BOX = "[data-finds]";
let timer = 0;

function narrow(box) {
  const facet = box.closest(".facet");
  const text = box.value.trim().toLowerCase();
  const rest = facet.querySelector(".facet-rest");
  if (rest && text) rest.open = true;
  const values = [...facet.querySelectorAll("li:has(> input)")];
  for (const value of values) value.hidden = !value.textContent.trim().toLowerCase().includes(text);
  const number = values.filter((value) => !value.hidden).length;
  clearTimeout(timer);
  if (box.dataset.more && text) timer = setTimeout(ask, 250, box);
  else {
    facet.querySelector(".found")?.replaceChildren();
    facet.querySelector(".none").hidden = number > 0;
    announce(`${number} value${number === 1 ? "" : "s"}`);
  }
}

async function ask(box) {
  const { value, name } = box;
  const address = new URL(box.dataset.finds, location);
  address.searchParams.set(name, value);
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected || box.value !== value) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector(".found");
  const facet = box.closest(".facet");
  const shown = new Set([...facet.querySelectorAll("li:not([hidden]) > input")].map((each) => each.value));
  for (const item of found.querySelectorAll("[data-value]")) if (shown.has(item.dataset.value)) item.remove();
  facet.querySelector(".found").replaceWith(document.adoptNode(found));
  const number = found.childElementCount + shown.size;
  facet.querySelector(".none").hidden = number > 0;
  announce(`${number} value${number === 1 ? "" : "s"}`);
}

document.addEventListener("input", (event) => event.target.matches(BOX) && narrow(event.target));
// What is typed here asks for no findings.
document.addEventListener("change", (event) => event.target.matches(BOX) && event.stopPropagation(), true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(BOX)) event.preventDefault();
});
