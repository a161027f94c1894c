// data-tip="text": one tooltip for all. It opens 300 ms after the pointer comes, at once when it
// comes from another or on focus, stays while the pointer is on it, and Esc closes it (WCAG 1.4.13).

const tip = Object.assign(document.createElement("div"), { id: "tip", className: "tip", popover: "manual" });
tip.setAttribute("role", "tooltip");
document.body.append(tip);
let owner = null;
let timer = 0;

function show(element) {
  hide();
  if (!element.isConnected) return;
  (element.closest("dialog[open], main") ?? document.body).append(tip);
  owner = element;
  tip.textContent = element.dataset.tip;
  if (element.getAttribute("aria-label") !== element.dataset.tip) element.setAttribute("aria-describedby", "tip");
  tip.showPopover();
  put();
}

function put() {
  if (!owner) return;
  const at = owner.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const above = at.top - height - 8;
  tip.style.top = `${above > 4 ? above : at.bottom + 8}px`;
  tip.style.left = `${Math.max(6, Math.min(at.left + at.width / 2 - width / 2, innerWidth - width - 6))}px`;
}

function hide() {
  clearTimeout(timer);
  if (!owner) return;
  if (owner.getAttribute("aria-describedby") === "tip") owner.removeAttribute("aria-describedby");
  owner = null;
  tip.hidePopover();
}

document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  const element = event.target.closest("[data-tip]");
  clearTimeout(timer);
  if (element && element !== owner) timer = setTimeout(show, owner ? 0 : 300, element);
  else if (!element && owner && !tip.contains(event.target)) timer = setTimeout(hide, 120);
});
document.addEventListener("focusin", (event) => {
  const element = event.target.closest("[data-tip]");
  if (element?.matches(":focus-visible")) show(element);
  else hide();
});
document.addEventListener("focusout", hide);
document.addEventListener("pointerdown", hide);
// Focus may scroll its element into view: the tip goes along.
document.addEventListener("scroll", put, { capture: true, passive: true });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !owner) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  hide();
}, true);
