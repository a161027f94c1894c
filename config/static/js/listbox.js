// The list of a combobox: it draws the options, marks the active one, and keeps its place. It is
// a popover, so no card, drawer or dialog clips it and no page grows by it; it stands below its
// field, or above where there is more room, and never outside of the window.
import { element } from "./dom.js";

const GAP = 4;
const EDGE = 8;
const MOST = 320;
const NARROWEST = 220;
let made = 0;

export class Listbox {
  constructor(anchor, { label, many = false, hints = null, list = null, className = "" }) {
    this.anchor = anchor;
    this.isInline = Boolean(list); // it stands in the page, as that of the palette does
    this.list = list ?? element("ul", { role: "listbox", id: `listbox-${++made}`, "aria-label": label });
    if (many) this.list.setAttribute("aria-multiselectable", "true");
    this.many = many;
    this.note = element("p", { class: "listbox-note", role: "status" });
    this.retry = element("button", { type: "button", class: "btn sm", hidden: "" }, "Try again");
    this.popup = element("div", { class: `listbox ${className}` }, this.note, this.retry);
    if (this.isInline) this.list.after(this.note, this.retry);
    else {
      this.popup.popover = "manual";
      this.popup.prepend(this.list);
      if (hints) this.popup.append(hints);
      anchor.after(this.popup);
    }
    this.place = this.place.bind(this);
    this.active = -1;
  }

  get isOpen() {
    return this.isInline || this.popup.matches(":popover-open");
  }

  get rows() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  open() {
    if (this.isInline || this.isOpen || !this.anchor.isConnected) return;
    this.popup.showPopover();
    for (const name of ["scroll", "resize"]) addEventListener(name, this.place, { capture: true, passive: true });
    window.visualViewport?.addEventListener("resize", this.place);
    this.place();
  }

  close() {
    if (this.isInline || !this.isOpen) return;
    this.popup.hidePopover();
    for (const name of ["scroll", "resize"]) removeEventListener(name, this.place, { capture: true });
    window.visualViewport?.removeEventListener("resize", this.place);
  }

  place({ target } = {}) {
    if (this.isInline || !this.isOpen || (target instanceof Node && this.popup.contains(target))) return;
    const at = this.anchor.getBoundingClientRect();
    const view = window.visualViewport ?? { offsetTop: 0, height: innerHeight };
    const below = view.offsetTop + view.height - at.bottom - GAP - EDGE;
    const above = at.top - view.offsetTop - GAP - EDGE;
    const { style } = this.popup;
    const room = document.documentElement.clientWidth - 2 * EDGE;
    style.maxHeight = `${MOST}px`;
    style.width = `${Math.min(Math.max(at.width, NARROWEST), room)}px`;
    const { width, height } = this.popup.getBoundingClientRect();
    const isAbove = height > below && above > below;
    style.maxHeight = `${Math.max(Math.min(MOST, isAbove ? above : below), 0)}px`;
    style.left = `${Math.max(EDGE, Math.min(at.left, room + EDGE - width))}px`;
    style.top = isAbove ? "auto" : `${at.bottom + GAP}px`;
    style.bottom = isAbove ? `${innerHeight - at.top + GAP}px` : "auto";
    this.popup.toggleAttribute("data-above", isAbove);
  }

  // options: [{value, label: string | Node, hint, chosen?, node?}]
  draw(options) {
    this.list.replaceChildren(...options.map((option, index) => this.row(option, index)));
    this.list.removeAttribute("aria-busy");
    this.say("");
    this.point(-1);
  }

  row({ node, label, hint = "", note = "", chosen = false }, index) {
    const row = node ?? element(
      "li", {}, label, ...(note ? [element("small", {}, note)] : []), element("span", { class: "num" }, hint),
    );
    row.classList.add("option");
    row.id = `${this.list.id}-${index}`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(this.many && chosen));
    row.toggleAttribute("data-chosen", chosen);
    return row;
  }

  // A sentence instead of options, or below them.
  say(sentence, { canRetry = false } = {}) {
    this.note.textContent = sentence;
    this.note.classList.toggle("bad", canRetry);
    this.retry.hidden = !canRetry;
    this.list.hidden = !this.list.childElementCount && !this.isInline;
    this.place();
  }

  point(index) {
    const rows = this.rows;
    const before = rows[this.active];
    before?.classList.remove("active");
    if (!this.many) before?.setAttribute("aria-selected", "false");
    this.active = index;
    const row = rows[index];
    row?.classList.add("active");
    if (!this.many) row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({ block: "nearest" });
    return row?.id ?? "";
  }
}
