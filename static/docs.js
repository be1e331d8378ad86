// Draws the API's description, and lets who is signed in try it: what changes something carries the page's CSRF token.
"use strict";

const place = document.getElementById("docs");
const dark = matchMedia("(prefers-color-scheme: dark)");

// Swagger UI has both faces, and leaves the choice to the page: the device says which.
function shade() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

dark.addEventListener("change", shade);
shade();

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null, // which would ask a server on the internet
  requestInterceptor(request) {
    if (new URL(request.url, location.href).origin === location.origin) request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
