// What the board must know without its server: how old each value is, and whether anybody still answers.
(() => {
  "use strict";

  const PULSE_LOST_AFTER = 8; // seconds; the server sends a pulse every 2
  const CUT_AFTER = 20; // seconds
  const AGED_AFTER = 60; // seconds: the age of a value stands out, also of one that is measured now and then only
  const NOT_SENT = "link lost: not sent";
  const UNWATCHED_AFTER = 15; // seconds without a watcher's beat (MISSED_AFTER in services/watching.py)
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
  // When a watcher last beat, by the server's clock; null: never.
  let lastBeat = document.body.dataset.watched === "" ? null : serverNow - Number(document.body.dataset.watched);

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
      sign.classList.toggle("aged", age > AGED_AFTER);
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
    holdButtons(Boolean(lost));
    if (lost) {
      const since = lastPulse ?? Number(document.body.dataset.now);
      write(blind, `${closedFor || "LINK LOST"} — this board shows what was true at ${time(since)}. Look at the bedside monitors.`);
    }
  }

  // Who presses a button without a link may be answering an alert that is another by now: nothing is sent.
  function holdButtons(lost) {
    for (const button of document.querySelectorAll(".ward button")) {
      if ((button.getAttribute("aria-disabled") === "true") === lost) continue;
      if (lost) {
        button.setAttribute("aria-disabled", "true");
        button.title = NOT_SENT;
      } else {
        button.removeAttribute("aria-disabled");
        button.removeAttribute("title");
      }
    }
  }

  // A click, and Enter in a note: both before htmx hears of them.
  function refuseUnsent(event) {
    if (!document.body.classList.contains("link-lost")) return;
    const pressed = event.type === "submit" ? event.target.closest(".ward form") : event.target.closest(".ward button");
    if (!pressed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // Only a watcher sees what no reading tells. A board that has lost its link cannot know, and says LINK LOST instead.
  function tellWatcher() {
    const unwatched = document.getElementById("unwatched");
    const silence = lastBeat === null ? Infinity : now() - lastBeat;
    const linked = document.getElementById("link").dataset.state !== "lost";
    unwatched.hidden = silence <= UNWATCHED_AFTER || !linked;
    if (unwatched.hidden) return;
    const since = lastBeat === null ? "" : ` for ${span(silence)}`;
    write(
      unwatched,
      `NO WATCHER${since}: delayed alarms, lost signals and escalation may not come. Call the technician; look at the bedside monitors.`,
    );
  }

  // What becomes true or false by time alone: a sign that nobody measures any more, a silence that is over, an old score.
  function ageAlerts(at) {
    for (const since of document.querySelectorAll(".since[data-since]")) write(since, span(at - Number(since.dataset.since)));
    for (const lost of document.querySelectorAll("[data-lost-at]")) lost.hidden = at < Number(lost.dataset.lostAt);
    for (const lost of document.querySelectorAll("[data-lost-of]")) {
      const drawn = document.getElementById(lost.dataset.lostOf)?.querySelector("[data-lost-at]");
      lost.hidden = !drawn || drawn.hidden;
    }
    for (const silence of document.querySelectorAll("[data-ends]")) {
      const left = Number(silence.dataset.ends) - at; // more than the ward allows: the server's clock was set back
      silence.hidden = left <= 0 || left > Number(silence.dataset.longest);
    }
    for (const clock of document.querySelectorAll("[data-clock]")) write(clock, time(Number(clock.dataset.clock)).slice(0, 5));
    for (const news of document.querySelectorAll(".news[data-until]")) {
      const old = news.dataset.until !== "" && at > Number(news.dataset.until);
      news.classList.toggle("old", old);
      news.querySelector(".stale").hidden = !old;
    }
  }

  // The beds that are mine in this shift stand out; who has which is asked again, since shifts change while a board stays.
  const MINE_EVERY = 60000; // ms
  let mine = new Set();

  async function askMine() {
    if (document.body.dataset.face !== "named") return mine.clear();
    try {
      const answer = await fetch(document.body.dataset.mine);
      mine = new Set(answer.ok ? (await answer.json()).beds : []);
    } catch {
      // Without an answer no bed stands out any longer than it should; that the link is lost is said elsewhere.
      mine = new Set();
    }
    markMine();
  }

  function markMine() {
    for (const tile of document.querySelectorAll(".tile")) tile.classList.toggle("mine", mine.has(tile.id));
  }

  function refresh() {
    const at = now();
    for (const tile of document.querySelectorAll(".tile")) ageTile(tile, at);
    ageAlerts(at);
    markMine();
    write(document.getElementById("clock"), time(at));
    if (performance.now() > troubleUntil) document.getElementById("trouble").hidden = true;
    tellLink();
    tellWatcher();
  }

  // The person is gone, and the board goes on without names; who signs in again gets a page of his own.
  function wear(face) {
    const before = document.body.dataset.face;
    if (face === before) return;
    if (face === "named") location.reload();
    document.body.dataset.face = face;
    for (const panel of openPanels()) panel.open = false;
  }

  function onMessage(event) {
    const text = event.detail.message.data;
    if (typeof text !== "string" || text[0] !== "{") return;
    const message = JSON.parse(text);
    if (message.face) wear(message.face);
    if (message.reload) location.reload(); // what I may do here is another than when this page was drawn
    if (!message.pulse) return;
    serverNow = message.pulse;
    anchor = { steady: performance.now(), wall: Date.now() };
    lastPulse = message.pulse;
    closedFor = "";
    if (message.watched !== undefined) lastBeat = message.watched === null ? null : message.pulse - message.watched;
    tellLink();
    tellWatcher();
  }

  // What the nurse pressed did not arrive: say so, since nothing else on the board will.
  const TROUBLE = { 401: "You are signed out: sign in again.", 503: "The database is busy: press again." };
  const EXPLAINED = [400, 403, 422]; // with a sentence of the server's
  let troubleUntil = 0;

  function onRefusal(event) {
    const ctx = event.detail.ctx;
    const status = ctx?.response?.status;
    if (status === 409) return; // the present alert is drawn instead
    const trouble = document.getElementById("trouble");
    const deed = ctx?.sourceElement?.matches?.(".acknowledge") ? "TAKEN" : "DONE";
    const why = EXPLAINED.includes(status) ? ctx.text : TROUBLE[status];
    write(trouble, `NOT ${deed}. ${why || "Press again."}`);
    trouble.hidden = false;
    troubleUntil = performance.now() + 15000;
  }

  // The menu of an alert: done with it, elsewhere on the board, or Escape, and it closes. The panel of a score as well.
  const openPanels = () => document.querySelectorAll("details:is(.menu, .news)[open]");

  // Near the lower edge of the window a menu opens upwards, where it can be read.
  function onToggle(event) {
    const menu = event.target;
    if (!menu.matches?.("details.menu") || !menu.open) return;
    menu.removeAttribute("data-up");
    const below = menu.querySelector(".deeds").getBoundingClientRect();
    const above = menu.closest(".alert").getBoundingClientRect().top;
    if (below.bottom > window.innerHeight && above >= below.height) menu.setAttribute("data-up", "");
  }

  function onClick(event) {
    for (const panel of openPanels()) if (!panel.contains(event.target)) panel.open = false;
  }

  function onKey(event) {
    if (event.key !== "Escape") return;
    for (const panel of openPanels()) {
      if (panel.contains(document.activeElement)) panel.querySelector("summary").focus();
      panel.open = false;
    }
  }

  function onDone(event) {
    const { response, sourceElement } = event.detail.ctx ?? {};
    const menu = response?.status === 200 && sourceElement?.closest?.(".menu");
    if (!menu) return;
    sourceElement.reset?.();
    menu.open = false;
    menu.querySelector("summary").focus();
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
  document.addEventListener("htmx:after:request", onDone);
  document.addEventListener("click", refuseUnsent, true);
  document.addEventListener("submit", refuseUnsent, true);
  document.addEventListener("toggle", onToggle, true);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  // A page that the browser took out of its own store has no socket any more.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  setInterval(refresh, 1000);
  setInterval(askMine, MINE_EVERY);
  askMine();
  refresh();
})();
