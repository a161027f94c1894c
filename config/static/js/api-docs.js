// Swagger UI on a page of ours: no inline script, and the theme that the others have.
/* global SwaggerUIBundle */
const place = document.getElementById("swagger-ui");

document.documentElement.classList.toggle("dark-mode", document.documentElement.dataset.theme === "dark");
SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  requestInterceptor(request) {
    const isOurs = new URL(request.url, location.href).origin === location.origin;
    if (isOurs && (request.method ?? "GET") !== "GET") request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
