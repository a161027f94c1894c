// How much is open, beside the items of the navigation. They come after the page, so that no
// page waits for them; without an answer the items stand without numbers.

const places = [...document.querySelectorAll("[data-count]")];

async function fill() {
  const response = await fetch(document.querySelector("[data-counts]").dataset.counts).catch(() => null);
  if (!response?.ok || response.redirected) return; // to the login page
  const counts = await response.json();
  for (const place of places) {
    const { label, open } = counts[place.dataset.count];
    if (!open) continue;
    place.textContent = label;
    place.insertAdjacentHTML("beforeend", '<span class="vh"> open</span>');
  }
}

fill();
