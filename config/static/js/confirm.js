// data-confirm="Question?" on a link to a confirmation page, on a submit button, or hx-confirm.
// Beside it: data-confirm-text, data-confirm-label. Without scripts the link shows the page
// `confirm.html`, and the view behind a form shows it until it gets confirmed=yes.

const dialog = document.getElementById("confirm");
const form = dialog.querySelector("form");
let accepted = () => {};

export function ask({ question, text = "", label = "Continue" }, onAccept) {
  dialog.querySelector("#confirm-question").textContent = question;
  dialog.querySelector("#confirm-text").textContent = text;
  dialog.querySelector("[data-accepts]").textContent = label;
  accepted = onAccept;
  dialog.showModal();
}

function wording({ dataset }) {
  return { question: dataset.confirm, text: dataset.confirmText, label: dataset.confirmLabel };
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  dialog.close();
  accepted();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-confirm]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  ask(wording(link), () => {
    form.action = link.href;
    form.submit(); // requestSubmit does nothing inside a submit event of the same form
  });
});

// Capturing, so that the question comes before htmx and before any page's own listener.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.matches("button[data-confirm]") || "confirmed" in button.dataset) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(wording(button), () => {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "yes" });
    button.form.append(field);
    button.dataset.confirmed = "";
    button.form.requestSubmit(button);
    delete button.dataset.confirmed;
    field.remove();
  });
}, true);

document.addEventListener("htmx:confirm", (event) => {
  const { question, elt, issueRequest } = event.detail;
  if (!question) return;
  event.preventDefault();
  ask({ ...wording(elt), question }, () => issueRequest(true));
});
