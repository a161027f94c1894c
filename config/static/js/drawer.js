// <dialog class="drawer">: beside the page, not above it, so the list stays in use. Opening
// focuses its title; Esc closes it and gives the focus back to where it came from.

let origin = null;

export function openDrawer(drawer) {
  if (!drawer.open) {
    origin = document.activeElement;
    drawer.show();
  }
  drawer.querySelector("[data-drawer-title]")?.focus();
}

export function closeDrawer(drawer) {
  if (!drawer.open) return;
  drawer.close();
  if (origin?.isConnected) origin.focus();
  origin = null;
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog:modal, [popover]:popover-open")) return;
  const drawer = document.querySelector("dialog.drawer[open]");
  if (drawer) closeDrawer(drawer);
});
