// Toasts leave after 6 s unless they are errors, wait for something, or someone is on them; at most three stand.
// Failed requests of htmx become toasts here, so no page has to think of them.

const STAYS = 6000;
const MOST = 3;
const region = document.getElementById("toasts");
const icons = document.querySelector(".topbar use").getAttribute("href").split("#")[0];

function start(toast) {
  if (toast.classList.contains("bad") || "waits" in toast.dataset) return;
  let timer = setTimeout(() => toast.remove(), STAYS);
  const pause = () => clearTimeout(timer);
  const resume = () => (timer = setTimeout(() => toast.remove(), STAYS));
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, pause);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, resume);
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
  while (region.childElementCount > MOST) region.firstElementChild.remove();
}).observe(region, { childList: true });

document.addEventListener("htmx:responseError", ({ detail }) => {
  if (detail.xhr.status === 401) return location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  if (detail.xhr.status === 403) return toast({ tone: "bad", title: "You may not do this", text: reasonIn(detail.xhr.responseText) });
  if (detail.xhr.status === 404) return toast({ tone: "bad", title: "It is no longer there", text: "Load the page again to see what is." });
  toast({ tone: "bad", title: "Something broke on our side", text: `Try again. Reference: ${detail.xhr.getResponseHeader("X-Request-ID")}` });
});
document.addEventListener("htmx:sendError", () => {
  toast({ tone: "bad", title: "Could not reach the server", text: "Check your connection and try again." });
});
