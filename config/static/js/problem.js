// What is wrong with a field: a sentence under it that its control is described by. It goes when
// what caused it goes, and so does what the server said of the field before.
import { element, icon } from "./dom.js";

let made = 0;

export class Problem {
  constructor(input, before) {
    this.input = input;
    this.node = element("p", { class: "error", role: "alert", id: `problem-${++made}`, hidden: "" });
    before.after(this.node);
  }

  show(sentence) {
    if (!sentence) return this.clear();
    this.node.hidden = false;
    this.node.replaceChildren(icon("circle-x"), element("span", {}, sentence));
    this.describe([this.node.id]);
    this.input.setAttribute("aria-invalid", "true");
  }

  clear() {
    if (this.node.hidden) return;
    this.node.hidden = true;
    this.node.replaceChildren();
    this.describe([]);
    this.input.removeAttribute("aria-invalid");
  }

  // The value is another one: the server's sentence was about the one before.
  forget() {
    this.clear();
    const said = document.getElementById(`${this.input.id}_error`);
    if (!said) return;
    said.remove();
    this.describe([]);
    this.input.removeAttribute("aria-invalid");
  }

  describe(ids) {
    const others = (this.input.getAttribute("aria-describedby") ?? "").split(" ");
    const there = others.filter((id) => id !== this.node.id && document.getElementById(id));
    const all = [...there, ...ids].join(" ");
    all ? this.input.setAttribute("aria-describedby", all) : this.input.removeAttribute("aria-describedby");
  }
}
