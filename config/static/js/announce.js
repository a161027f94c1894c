// Says a sentence to a screen reader: politely, or at once.

export function announce(sentence, { now = false } = {}) {
  const region = document.getElementById(now ? "announcer-now" : "announcer");
  region.textContent = "";
  requestAnimationFrame(() => (region.textContent = sentence));
}
