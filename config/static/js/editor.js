// The rule editor: severities, preview, and the guard against losing changes.
import { announce } from "./announce.js";

const form = document.getElementById("rule-form");

function severities() {
  const field = document.getElementById("field-severities");
  const boxes = [...field.querySelectorAll("input[type=checkbox]")];
  field.querySelector(".severity-add").addEventListener("click", () => {
    field.classList.add("open");
    boxes[0].focus();
  });
  field.querySelector(".severity-remove").addEventListener("click", () => {
    for (const box of boxes) box.checked = false;
    boxes[0].dispatchEvent(new Event("input", { bubbles: true }));
    field.classList.remove("open");
    field.querySelector(".severity-add").focus();
  });
}

// Rows that few need wait behind a button.
function expanded() {
  for (const button of form.querySelectorAll("[data-expands]")) {
    const place = document.getElementById(button.dataset.expands);
    button.addEventListener("click", () => {
      place.classList.add("open");
      button.remove();
      place.querySelector(".rare input").focus();
    });
  }
}

// A choice that only some finding types have; one that is made stays, and the server says why not.
function limited() {
  for (const card of form.querySelectorAll("[data-only-types]")) {
    const only = card.dataset.onlyTypes.split(" ");
    const radio = card.querySelector("input");
    const look = () => {
      const types = [...form.querySelectorAll("input[name=types]:checked")].map((box) => box.value);
      radio.disabled = !radio.checked && (!types.length || types.some((type) => !only.includes(type)));
    };
    form.addEventListener("input", look);
    look();
  }
}

function preview() {
  const place = document.getElementById("preview");
  const failed = document.getElementById("preview-failed");
  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    place.addEventListener(name, (event) => {
      event.stopPropagation();
      failed.hidden = false;
    });
  }
  place.addEventListener("htmx:afterSwap", () => {
    failed.hidden = true;
    const count = place.querySelector(".preview-number");
    if (count) announce(count.parentElement.textContent.trim());
  });
}

// The values as they would be sent, without those that differ in each page.
function written() {
  const values = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  return JSON.stringify(values);
}

function guard() {
  const dialog = document.getElementById("discard");
  let before = "unsaved" in form.dataset ? null : written();
  let leaving = false;
  let untouched = false;
  const dirty = () => !leaving && written() !== before;
  // What the page itself fetches of the destination is nobody's change.
  document.addEventListener("htmx:beforeSwap", ({ target }) => { untouched = target.id === "destination" && !dirty(); });
  document.addEventListener("htmx:afterSettle", () => {
    if (untouched) before = written();
    untouched = false;
  });
  const leave = (url) => {
    leaving = true;
    location.assign(url);
  };
  form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => { if (dirty()) event.preventDefault(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.target || event.ctrlKey || event.metaKey || !dirty()) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    dialog.showModal();
    dialog.querySelector("[value=discard]").onclick = () => leave(link.href);
  });
}

severities();
expanded();
limited();
preview();
guard();
