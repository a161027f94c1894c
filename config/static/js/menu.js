// Menus: <button popovertarget="id" aria-haspopup="menu"> and <div class="menu" id popover>
// around [role=menuitem]s. Opening, Esc and the light dismiss are the platform's; here are
// the arrows, Home, End, type-ahead, aria-expanded, and places where anchors are unknown.

const anchored = CSS.supports("position-area: block-end");
const items = (menu) => [...menu.querySelectorAll("[role^=menuitem]:not(:disabled, [aria-disabled=true])")];
const isMenu = (element) => element instanceof HTMLElement && element.matches(".menu[popover]");
const openers = (menu) => [...document.querySelectorAll(`[popovertarget="${CSS.escape(menu.id)}"]`)];
let opener = null;

document.addEventListener("click", (event) => {
  opener = event.target.closest("[popovertarget]") ?? opener;
}, true);

export function place(popover, anchor) {
  if (anchored || !anchor) return;
  const at = anchor.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const fits = at.bottom + height + 8 < innerHeight;
  popover.style.inset = "auto";
  popover.style.margin = "0";
  popover.style.top = `${Math.max(8, fits ? at.bottom + 4 : at.top - height - 4)}px`;
  popover.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}

// These two do not bubble: they are caught on their way down. `toggle` comes some time after the
// menu has opened, and the next key may come before it: the first item has the focus from the start.
document.addEventListener("beforetoggle", ({ target: menu, newState }) => {
  if (!isMenu(menu)) return;
  for (const item of menu.querySelectorAll("[autofocus]")) item.removeAttribute("autofocus");
  if (newState === "open") items(menu)[0]?.setAttribute("autofocus", "");
}, true);
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!isMenu(menu)) return;
  const open = event.newState === "open";
  for (const button of openers(menu)) button.setAttribute("aria-expanded", String(open && button === opener));
  if (open) place(menu, opener);
}, true);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest(".menu[popover]");
  if (!menu || event.ctrlKey || event.metaKey || event.altKey) {
    if (event.key === "ArrowDown" && event.target.matches("[aria-haspopup=menu][popovertarget]")) {
      event.preventDefault();
      event.target.click();
    }
    return;
  }
  const all = items(menu);
  const here = all.indexOf(document.activeElement);
  const next = {
    ArrowDown: () => all[(here + 1) % all.length],
    ArrowUp: () => all.at((here - 1) % all.length),
    Home: () => all[0],
    End: () => all.at(-1),
  }[event.key] ?? (event.key.length === 1 && event.key !== " " ? () => byLetter(all, here, event.key) : null);
  if (event.key === "Tab") menu.hidePopover();
  if (!next) return;
  event.preventDefault();
  event.stopPropagation();
  next()?.focus();
});

function byLetter(all, here, key) {
  const round = [...all.slice(here + 1), ...all.slice(0, here + 1)];
  return round.find((item) => item.textContent.trim().toLowerCase().startsWith(key.toLowerCase()));
}
