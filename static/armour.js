// htmx draws what the server sent through a policy of its own, the only one that may write HTML, and runs nothing:
// no script in a fragment, no hx-on, no expression in an attribute. Loaded before htmx starts.
(() => {
  "use strict";

  function refuse() {
    throw new TypeError("No attribute of a page is run.");
  }

  htmx.registerExtension("armour", {
    init: (htmxApi) => {
      const rules = { createHTML: (html) => html, createScript: () => "" };
      htmxApi.initSecurity(window.trustedTypes?.createPolicy("htmx", rules) ?? rules, refuse, refuse);
    },
  });
})();
