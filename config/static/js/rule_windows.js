// Which rules of each kind are here, and can be seen: what the server answers for.
const MOST = 50;

export function withWindows(path, more = {}) {
  const address = new URL(path, location);
  const said = { ...Object.fromEntries(new URLSearchParams(location.search)), ...more };
  said.windows = [...document.querySelectorAll(".rule-list")].map(windowOf).join();
  for (const [name, value] of Object.entries(said)) address.searchParams.set(name, value);
  return address.pathname + address.search;
}

function windowOf(list) {
  const rows = [...list.children];
  const seen = rows.findIndex((row) => row.getBoundingClientRect().bottom > 0);
  const from = rows.length > MOST ? Math.max(0, Math.min(seen, rows.length - MOST)) : 0;
  return `${list.dataset.kind}:${Number(list.dataset.start) + from}:${Math.min(rows.length, MOST)}`;
}
