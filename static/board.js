// What the board must know without its server: how old each value is, and whether anybody still answers.
(() => {
  "use strict";

  const PULSE_LOST_AFTER = 8; // seconds; the server sends a pulse every 2
  const CUT_AFTER = 20; // seconds
  const CODES = {
    4401: "SIGNED OUT: sign in again",
    4404: "NO ACCESS to this ward",
  };

  // The server's clock, carried on by ours: the wall clock may be set, the steady one may stop while the machine sleeps,
  // so the longer of the two is what has passed.
  let serverNow = Number(document.body.dataset.now);
  let anchor = { steady: performance.now(), wall: Date.now() };
  let lastPulse = null;
  let closedFor = "";

  const passed = () => Math.max(performance.now() - anchor.steady, Date.now() - anchor.wall, 0) / 1000;
  const now = () => serverNow + passed();

  const span = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
    return `${Math.floor(s / 86400)} d`;
  };

  const time = (epoch) => new Date(epoch * 1000).toLocaleTimeString([], { hour12: false });

  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function ageTile(tile, at) {
    let newest = null;
    let fresh = false;
    for (const sign of tile.querySelectorAll(".sign[data-at]")) {
      const measured = Number(sign.dataset.at);
      if (!measured) continue;
      const age = at - measured;
      const old = age > Number(sign.dataset.oldAfter);
      sign.classList.toggle("old", old);
      write(sign.querySelector("time"), span(age));
      newest = Math.max(newest ?? measured, measured);
      fresh ||= !old;
    }
    const silent = tile.querySelector(".silent");
    if (!silent) return;
    const old = newest === null || !fresh;
    tile.classList.toggle("old", old);
    silent.hidden = !old;
    write(silent, newest === null ? "no reading yet" : `no reading for ${span(at - newest)}`);
  }

  function tellLink() {
    const link = document.getElementById("link");
    const blind = document.getElementById("blind");
    const silence = lastPulse === null ? now() - Number(document.body.dataset.now) : now() - lastPulse;
    const lost = closedFor || silence > PULSE_LOST_AFTER;
    cutDeadLink(silence);
    const live = !lost && lastPulse !== null;
    link.dataset.state = live ? "live" : lost ? "lost" : "connecting";
    write(link, live ? "LIVE" : lost ? closedFor || "LINK LOST" : "Connecting…");
    document.body.classList.toggle("link-lost", Boolean(lost));
    blind.hidden = !lost;
    if (lost) {
      const since = lastPulse ?? Number(document.body.dataset.now);
      write(blind, `${closedFor || "LINK LOST"} — this board shows what was true at ${time(since)}. Look at the bedside monitors.`);
    }
  }

  function refresh() {
    const at = now();
    for (const tile of document.querySelectorAll(".tile")) ageTile(tile, at);
    for (const since of document.querySelectorAll(".since[data-since]")) write(since, span(at - Number(since.dataset.since)));
    write(document.getElementById("clock"), time(at));
    if (performance.now() > troubleUntil) document.getElementById("trouble").hidden = true;
    tellLink();
  }

  function onMessage(event) {
    const text = event.detail.message.data;
    if (typeof text !== "string" || text[0] !== "{") return;
    const message = JSON.parse(text);
    if (!message.pulse) return;
    serverNow = message.pulse;
    anchor = { steady: performance.now(), wall: Date.now() };
    lastPulse = message.pulse;
    closedFor = "";
    tellLink();
  }

  // What the nurse pressed did not arrive: say so, since nothing else on the board will.
  const TROUBLE = { 401: "You are signed out: sign in again. ", 403: "", 409: null, 503: "The database is busy: press again. " };
  let troubleUntil = 0;

  function onRefusal(event) {
    const status = event.detail.ctx?.response?.status;
    if (TROUBLE[status] === null) return; // the present alert is drawn instead
    const trouble = document.getElementById("trouble");
    write(trouble, `NOT TAKEN. ${TROUBLE[status] ?? "Press again. "}`);
    trouble.hidden = false;
    troubleUntil = performance.now() + 15000;
  }

  // A link that is dead without knowing it is cut, so that it is made anew.
  let connection = null;
  let cutAt = 0;

  function cutDeadLink(silence) {
    if (silence < CUT_AFTER || performance.now() - cutAt < CUT_AFTER * 1000) return;
    cutAt = performance.now();
    connection?.socket?.close();
  }

  function onClose(event) {
    const code = event.detail.code;
    closedFor = CODES[code] || "LINK LOST";
    tellLink();
  }

  document.addEventListener("htmx:ws:before:message:incoming", onMessage);
  document.addEventListener("htmx:ws:after:message:incoming", refresh);
  document.addEventListener("htmx:ws:close", onClose);
  document.addEventListener("htmx:ws:before:connection", (event) => (connection = event.detail.connection));
  document.addEventListener("htmx:response:error", onRefusal);
  document.addEventListener("htmx:error", (event) => event.detail.ctx && onRefusal(event));
  document.addEventListener("htmx:after:swap", refresh);
  // A page that the browser took out of its own store has no socket any more.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  setInterval(refresh, 1000);
  refresh();
})();
