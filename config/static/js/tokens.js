// A token combobox: the chosen values as tokens, then a field with a list of options.
// The values live in `source`, which keeps them in the form's own controls:
//   id, label, attributes, hints       of the field; `placeholder(n)` with n tokens chosen
//   chosen()                           [{value, label: string | Node}]
//   options(typed), nothing(typed)     a promise of [{value, label, hint, chosen?, incomplete?}]
//   add(value), remove(value)          `add` answers a sentence when it refuses the value
//   many                               the list stays open; free: what is typed is a value
let made = 0;

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Icons come from the page, which knows the sprite's address: <template id="icon-x">.
export function icon(name) {
  return document.getElementById(`icon-${name}`).content.firstElementChild.cloneNode(true);
}

export class TokenCombobox {
  constructor(host, source) {
    const id = `combobox-${++made}`;
    this.source = source;
    this.options = [];
    this.active = -1;
    this.input = element("input", {
      type: "text", role: "combobox", id: source.id, autocomplete: "off", spellcheck: "false",
      "aria-label": source.label, "aria-autocomplete": "list", "aria-expanded": "false",
      "aria-controls": id, ...source.attributes,
    });
    this.list = element("ul", { role: "listbox", id, "aria-label": source.label });
    if (source.many) this.list.setAttribute("aria-multiselectable", "true");
    this.note = element("p", { class: "help listbox-note", role: "status" });
    this.popup = element("div", { class: "listbox", hidden: "" }, this.list, this.note, ...(source.hints ?? []));
    this.box = element("div", { class: "tokens" }, this.input, icon("chevron-down"));
    this.error = element("p", { class: "error", role: "alert", hidden: "" });
    host.replaceChildren(this.box, this.popup, this.error);
    this.listen();
    this.show();
  }

  listen() {
    this.box.addEventListener("mousedown", (event) => {
      if (event.target.closest("button, input")) return;
      event.preventDefault();
      this.input.focus();
      this.open();
    });
    this.popup.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(this.options[[...this.list.children].indexOf(option)]);
    });
    this.input.addEventListener("input", (event) => { event.stopPropagation(); this.open(); });
    this.input.addEventListener("click", () => this.open());
    this.input.addEventListener("blur", () => { this.take(); this.close(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      this.popup.hidden ? this.open() : this.point(this.active + (key === "ArrowDown" ? 1 : -1));
    } else if (key === "Enter" || (key === "," && this.source.free)) {
      event.preventDefault();
      this.active >= 0 && key === "Enter" ? this.choose(this.options[this.active]) : this.take();
    } else if (key === "Escape" && !this.popup.hidden) {
      event.stopPropagation();
      this.close();
    } else if (key === "Backspace" && !this.input.value) {
      this.input.previousElementSibling?.querySelector("button").focus();
    }
  }

  show() {
    for (const token of this.box.querySelectorAll(".token")) token.remove();
    const chosen = this.source.chosen();
    this.input.before(...chosen.map(({ value, label }) => {
      const name = typeof label === "string" ? label : label.textContent.trim();
      const button = element("button", { type: "button", "aria-label": `Remove ${name}` }, icon("x"));
      button.addEventListener("click", () => this.drop(value));
      button.addEventListener("keydown", ({ key }) => { if (key === "Backspace" || key === "Delete") this.drop(value); });
      return element("span", { class: `token ${this.source.free ? "mono" : ""}` }, label, button);
    }));
    this.input.placeholder = this.source.placeholder(chosen.length);
  }

  drop(value) {
    this.source.remove(value);
    this.show();
    this.input.focus();
  }

  choose(option) {
    this.input.value = option.incomplete ? option.value : "";
    if (option.incomplete) return this.open();
    option.chosen ? this.source.remove(option.value) : this.source.add(option.value);
    this.show();
    this.source.many ? this.open() : this.close();
  }

  // What was typed and not chosen from the list becomes a token where free text is allowed.
  take() {
    const typed = this.input.value.trim();
    if (!typed) return;
    const refusal = this.source.free ? this.source.add(typed) : "";
    this.error.hidden = !refusal;
    this.error.replaceChildren(...(refusal ? [icon("circle-x"), refusal] : []));
    if (refusal) return this.input.setAttribute("aria-invalid", "true");
    this.input.removeAttribute("aria-invalid");
    this.input.value = "";
    this.show();
    this.close();
  }

  async open() {
    const typed = this.input.value.trim();
    this.popup.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    const options = await this.source.options(typed);
    if (typed !== this.input.value.trim() || this.popup.hidden) return; // answered too late
    this.options = options;
    this.list.replaceChildren(...options.map((option, index) => element(
      "li", { class: "option", role: "option", id: `${this.list.id}-${index}`, "aria-selected": String(Boolean(option.chosen)) },
      option.label, element("span", { class: "num" }, option.hint),
    )));
    this.note.textContent = options.length ? "" : this.source.nothing(typed);
    this.point(-1);
  }

  point(index) {
    this.active = Math.max(-1, Math.min(index, this.options.length - 1));
    this.list.querySelector(".active")?.classList.remove("active");
    const option = this.list.children[this.active];
    option?.classList.add("active");
    option?.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option?.id ?? "");
  }

  close() {
    this.popup.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.setAttribute("aria-activedescendant", "");
  }
}
