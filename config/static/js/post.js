// A POST by a script of ours, for a fragment: its status and HTML. Throws a TypeError without a
// network, as fetch does. When the session is over, the answer is the way to the login page.

export const csrf = () => ({ "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"] });

export async function post(address, body) {
  const headers = { ...csrf(), "HX-Request": "true", "HX-Current-URL": location.href };
  const response = await fetch(address, { method: "POST", body, headers });
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) {
    location.assign(elsewhere);
    return new Promise(() => {}); // nothing of this page goes on
  }
  return { status: response.status, html: await response.text(), id: response.headers.get("X-Request-ID") };
}
