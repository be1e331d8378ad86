"use strict";
// The inbox reloads itself as a whole: when the server is gone the browser says so, and no old list looks new.
(() => {
  const COUNT_EVERY = 15000;
  let asking = false;
  // The one address from which this site begins a worker.
  const OWN_WORKER = { createScriptURL: () => "/push-worker.js" };
  const WORKER = (window.trustedTypes?.createPolicy("worker", OWN_WORKER) ?? OWN_WORKER).createScriptURL("");

  // What is open stays open over the reload.
  const OPEN = "notices opened";
  const folds = [...document.querySelectorAll(".inbox details")];
  if (folds.length) {
    const opened = new Set(JSON.parse(sessionStorage.getItem(OPEN) || "[]"));
    for (const fold of folds) {
      fold.open = opened.has(fold.dataset.key);
      fold.addEventListener("toggle", () => {
        const keys = folds.filter((each) => each.open).map((each) => each.dataset.key);
        sessionStorage.setItem(OPEN, JSON.stringify(keys));
      });
    }
  }

  const seconds = Number(document.body.dataset.reload);
  if (seconds) setInterval(() => asking || location.reload(), seconds * 1000);

  const link = document.getElementById("notices");
  async function count() {
    let unseen = 0;
    try {
      const answer = await fetch(link.dataset.count);
      if (answer.ok) unseen = (await answer.json()).unseen;
    } catch {
      // Without an answer the link bears no number; that the link is lost is the board's to say.
    }
    link.textContent = unseen ? `Notices (${unseen})` : "Notices";
  }
  if (link) {
    count();
    setInterval(count, COUNT_EVERY);
  }

  const button = document.getElementById("call-me");
  async function callMe() {
    asking = true;
    try {
      if ((await Notification.requestPermission()) !== "granted") throw new Error("the browser was not allowed to");
      const worker = await navigator.serviceWorker.register(WORKER);
      const wanted = { userVisibleOnly: true, applicationServerKey: button.dataset.key };
      const subscription = await worker.pushManager.subscribe(wanted);
      const headers = { "Content-Type": "application/json", "X-CSRFToken": button.dataset.token };
      const answer = await fetch(button.dataset.url, { method: "POST", headers, body: JSON.stringify(subscription) });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      button.textContent = "This browser calls you";
      button.disabled = true;
    } catch (failure) {
      button.textContent = `This browser will NOT call you: ${failure.message}`;
    } finally {
      asking = false;
    }
  }
  if (button && "PushManager" in window) {
    button.hidden = false;
    button.addEventListener("click", callMe);
  }
})();
