// Help is a plain form. With script the patient sees at once that it is being sent, and in words when it was not; and the
// page asks what became of it, so that it says when somebody saw it, and when no call could be sent from here.
// That a call was sent says the page itself, as the server has it.
(() => {
  "use strict";

  const PATIENCE = 10000; // ms: a call that hangs has failed
  const ASKS_EVERY = 15000;
  const form = document.getElementById("help");
  if (!form) return;
  const help = form.parentElement;
  const button = form.querySelector("button");
  const unsent = help.querySelector(".unsent");
  const cutOff = help.querySelector(".cut-off");
  const label = button.textContent;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    button.textContent = "Sending …";
    unsent.hidden = true;
    if (await sent()) {
      location.reload();
    } else {
      unsent.hidden = false;
      button.textContent = label;
      button.disabled = false;
    }
  });

  async function sent() {
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
      return answer.type === "opaqueredirect"; // back to the page: any other answer is a refusal
    } catch {
      return false;
    }
  }

  async function ask() {
    let why = "There is no connection.";
    try {
      const answer = await fetch(help.dataset.now, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
      if (answer.ok) {
        why = "";
        const { call } = await answer.json();
        if (call !== help.dataset.call && !button.disabled) location.reload();
      } else if (answer.status === 401) {
        why = "You are signed out: sign in again.";
      }
    } catch {
      // as if nobody answered
    }
    cutOff.querySelector("span").textContent = why;
    cutOff.hidden = !why;
  }

  setInterval(ask, ASKS_EVERY);
  addEventListener("focus", ask);
})();
