// The frame: theme without a reload, the UTC card's clock, the menu on a narrow window.

const root = document.documentElement;

export function remember(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; SameSite=Lax${secure}`;
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-form]")) return;
  event.preventDefault();
  const theme = event.submitter.value;
  const body = new FormData(event.target, event.submitter);
  fetch(event.target.action, { method: "POST", body, redirect: "manual" });
  root.dataset.theme = theme;
  event.target.querySelector(`button:not([value="${theme}"])`).focus();
});

// A list that filters at once. By keyboard each letter and arrow is a choice on the way to
// another one: Enter, or leaving the list, takes it.
let byKeyboard = false;
let undecided = null;

function take(list) {
  undecided = null;
  list.form.requestSubmit();
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-submits]")) return;
  if (byKeyboard && target === document.activeElement) undecided = target;
  else take(target);
});
document.addEventListener("keydown", (event) => {
  byKeyboard = event.key !== "Enter";
  if (event.key !== "Enter" || event.target !== undecided) return;
  event.preventDefault();
  take(undecided);
});
document.addEventListener("pointerdown", () => { byKeyboard = false; });
document.addEventListener("focusout", ({ target }) => target === undecided && take(target));

export function foldNav() {
  const folded = root.dataset.nav !== "folded";
  root.dataset.nav = folded ? "folded" : "";
  remember("nav", folded ? "folded" : "");
}

const DAY = 24 * 60;
const shown = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC", weekday: "short", day: "numeric", month: "short",
});

function tick() {
  const now = new Date();
  const minute = now.getUTCHours() * 60 + now.getUTCMinutes();
  const left = DAY - minute;
  const clock = now.toISOString().slice(11, 16);
  const day = shown.format(now).replace(",", "");
  document.querySelector("[data-utc-now]").textContent = `${day} · ${clock}`;
  document.querySelector("[data-utc-left]").textContent = `${Math.floor(left / 60)} h ${left % 60} min`;
  document.querySelector("[data-utc-bar]").setAttribute("width", String((100 * minute) / DAY));
}
setInterval(tick, 20_000);

// The same list in a dialog: it moves there and back, so there is only one of it.
const sheet = document.getElementById("nav-sheet");
const side = document.getElementById("nav");

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-opens-nav]")) {
    event.preventDefault();
    sheet.append(...side.children);
    sheet.showModal();
  } else if (event.target === sheet || event.target.closest(".nav-sheet .nav-close")) {
    event.preventDefault();
    sheet.close();
  }
});
sheet.addEventListener("close", () => side.append(...sheet.children));
matchMedia("(min-width: 761px)").addEventListener("change", () => sheet.open && sheet.close());
