// A person moves the pointer or presses keys: the server is told so, once a minute at most, and keeps him signed in.
// What a page does by itself never comes through here.
(() => {
  "use strict";

  const EVERY = 60000;
  const TOLD = "somebody was here"; // kept for a page that loads itself anew
  const { url, token } = document.currentScript.dataset;

  function tell(event) {
    const passed = Date.now() - Number(sessionStorage.getItem(TOLD) || 0);
    if (!event.isTrusted || (passed >= 0 && passed < EVERY)) return;
    sessionStorage.setItem(TOLD, Date.now());
    // Who is signed out is told so by the page that he asks for, and a board by its socket.
    fetch(url, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => sessionStorage.removeItem(TOLD));
  }

  for (const kind of ["pointermove", "pointerdown", "wheel", "keydown"]) {
    document.addEventListener(kind, tell, { capture: true, passive: true });
  }
})();
