// Toasts leave after 6 s, those with Undo after 10, unless they are errors, wait for something, or someone is on
// them; at most three stand, and one with the focus is not pushed out.
// Failed requests of htmx become toasts here, so no page has to think of them.

const STAYS = 6000;
const STAYS_WITH_UNDO = 10000;
const MAX_TOASTS = 3;
const region = document.getElementById("toasts");
const icons = document.querySelector(".topbar use").getAttribute("href").split("#")[0];

function start(toast) {
  if (toast.classList.contains("bad") || "waits" in toast.dataset) return;
  let timer = 0;
  const pause = () => clearTimeout(timer);
  const resume = () => {
    pause();
    // Who leaves with the pointer may still be on it with the keyboard, and the other way round.
    if (toast.matches(":hover, :focus-within")) return;
    timer = setTimeout(() => toast.remove(), "undo" in toast.dataset ? STAYS_WITH_UNDO : STAYS);
  };
  resume();
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, pause);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, () => setTimeout(resume));
}

// With a `label` it has a button that does `act`; one that `stays` leaves by hand alone.
export function toast({ title, text = "", tone = "ok", stays = false, label = "", act = null }) {
  const element = document.createElement("div");
  element.className = `toast ${tone}`;
  element.dataset.toast = "";
  if (stays) element.dataset.waits = "";
  if (tone === "bad") element.setAttribute("role", "alert");
  const icon = { ok: "circle-check", bad: "circle-x", warn: "triangle-alert" }[tone] ?? "info";
  element.innerHTML = `<svg class="i" aria-hidden="true"><use href="${icons}#${icon}"/></svg>
    <div class="body"><b></b><span></span></div>
    <button class="icon-btn" type="button" data-dismisses aria-label="Dismiss"><svg class="i" aria-hidden="true"><use href="${icons}#x"/></svg></button>`;
  element.querySelector("b").textContent = title;
  element.querySelector("span").textContent = text;
  if (label) {
    const button = Object.assign(document.createElement("button"), { className: "btn sm", type: "button", textContent: label });
    button.addEventListener("click", act);
    element.querySelector(".body").after(button);
  }
  region.append(element);
  return element;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismisses]")) event.target.closest("[data-toast]").remove();
});

// What the page of a refusal says: which role it takes, and whom to ask for it.
function reasonIn(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return page.querySelector("[data-reason]")?.textContent.trim() ?? "Ask an admin for the role that allows it.";
}

for (const shown of region.children) start(shown);
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) start(node);
  }
  const rest = [...region.children].filter((shown) => !shown.matches(":focus-within"));
  while (region.childElementCount > MAX_TOASTS && rest.length) rest.shift().remove();
}).observe(region, { childList: true });

// What a toast says of an answer that is none: status 0 is no answer at all.
export function fault(status, html = "", id = "") {
  const [title, text] = {
    0: ["Could not reach the server", "Check your connection and try again."],
    403: ["You may not do this", reasonIn(html)],
    404: ["It is no longer there", "Load the page again to see what is."],
  }[status] ?? ["Something broke on our side", `Try again. Reference: ${id}`];
  return { tone: "bad", title, text };
}

document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if (xhr.status === 401) return location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  toast(fault(xhr.status, xhr.responseText, xhr.getResponseHeader("X-Request-ID")));
});
document.addEventListener("htmx:sendError", () => toast(fault(0)));
