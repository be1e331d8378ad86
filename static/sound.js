// The board's sound: the most urgent of what calls and is in nobody's hand, until somebody takes or silences it.
// It follows the page: the list #sounds, and the red banners with which the board tells of itself (docs/alarm.md, "Sound").
(() => {
  "use strict";

  // Seconds, from silence to silence. So measured they keep IEC 60601-1-8, and also between the points of 90 % of the height.
  const HIGH = { lasts: 0.16, rise: 0.024, gaps: [0.075, 0.075, 0.31, 0.075, 0.6, 0.075, 0.075, 0.31, 0.075], pause: 5 };
  const MEDIUM = { lasts: 0.21, rise: 0.034, gaps: [0.15, 0.15], pause: 15 };
  const LOW = { lasts: 0.21, rise: 0.034, gaps: [0.15], pause: 20 };
  // The least urgent first. `half`: pulses that are heard even when what called is over; `wait`: for a link that is back at once.
  const SOUNDS = {
    technical: { ...LOW, pitches: [330, 330] },
    board: { ...LOW, pitches: [440, 294], wait: 5, told: "board trouble" },
    warning: { ...MEDIUM, pitches: Array(3).fill(392) },
    critical: { ...HIGH, pitches: Array(10).fill(523), half: 5 },
  };
  const URGENCY = Object.keys(SOUNDS);
  const PARTIALS = [1, 0.7, 0.6, 0.5, 0.4]; // the pitch and four harmonics
  const APART = 2.5; // seconds at least between two bursts of one sound
  const BREATH = 0.5; // seconds between what is heard out and the next sound
  const WATCH_EVERY = 1000; // ms
  const LOOK_FOR_SPEAKER_EVERY = 5000; // ms

  const wave = (turns) => PARTIALS.reduce((sum, part, place) => sum + part * Math.sin(2 * Math.PI * (place + 1) * turns), 0);
  const LOUD = 0.9 / Math.max(...Array.from({ length: 1000 }, (_, place) => wave(place / 1000)));

  // One sound's pulses from its beginning, and when it begins again.
  function plan(name) {
    const { lasts, gaps, pause, pitches, half = pitches.length } = SOUNDS[name];
    let at = 0;
    const pulses = pitches.map((pitch, place) => {
      const pulse = { at, lasts, pitch };
      at += lasts + (gaps[place] ?? 0);
      return pulse;
    });
    return { pulses, half: pulses[half - 1].at + lasts, burst: at, period: at + pause };
  }

  function samples(name, rate) {
    const { pulses, period } = plan(name);
    const { rise } = SOUNDS[name];
    const drawn = new Float32Array(Math.round(period * rate));
    for (const { at, lasts, pitch } of pulses) {
      for (let place = Math.ceil(at * rate); place < (at + lasts) * rate; place++) {
        const t = place / rate - at;
        drawn[place] = LOUD * Math.min(1, t / rise, (lasts - t) / rise) * wave(pitch * t);
      }
    }
    return drawn;
  }

  // A sound repeats by itself on the clock of the loudspeaker: no timer of a page that is hidden or hangs can silence it.
  function begin(name, at) {
    const drawn = samples(name, context.sampleRate);
    const buffer = new AudioBuffer({ length: drawn.length, sampleRate: context.sampleRate });
    buffer.copyToChannel(drawn, 0);
    const source = new AudioBufferSourceNode(context, { buffer, loop: true });
    const gate = new GainNode(context);
    source.connect(gate).connect(context.destination);
    source.start(at);
    const cut = (when) => {
      gate.gain.setTargetAtTime(0, when, 0.005);
      source.stop(when + 0.05);
    };
    return { ...plan(name), name, told: SOUNDS[name].told ?? name, at, source, cut };
  }

  // Where in its burst or pause a sound is; negative before it has begun.
  const position = (sound, now) => (now < sound.at ? now - sound.at : (now - sound.at) % sound.period);

  // When a sound may stop whose cause has gone by itself: what called was to be heard.
  function rest(sound, now) {
    const place = position(sound, now);
    if (place < 0 || place >= sound.burst) return now;
    return now + (place < sound.half ? sound.half : sound.burst) - place;
  }

  // When one more call of the same urgency is heard: now, where a burst sounds already.
  function again(sound, now) {
    const place = position(sound, now);
    return place < sound.burst ? null : now + Math.max(0, sound.burst + APART - place);
  }

  let context = null;
  let calls = new Map();
  let playing = null;
  let leaving = null;
  let testing = null;
  let untried = [];

  // What calls now: by its id the place of its sound in URGENCY, doubled, and one more while it is still beyond.
  function callers() {
    const found = new Map();
    for (const row of document.querySelectorAll("#sounds > li")) {
      if (row.matches('[data-state="taken"], [data-ends]:not([hidden])')) continue;
      // A server that is newer than this page may name a sound that it does not know.
      const sound = row.dataset.sound in SOUNDS ? row.dataset.sound : "critical";
      found.set(row.id, 2 * URGENCY.indexOf(sound) + (row.dataset.state === "returned" ? 0 : 1));
    }
    if (document.querySelector(":is(#blind, #unwatched):not([hidden])")) found.set("board", 2 * URGENCY.indexOf("board"));
    return found;
  }

  function follow() {
    const before = calls;
    calls = callers();
    const most = Math.max(-1, ...calls.values()) >> 1;
    const anew = [...calls].some(([id, urgency]) => urgency >> 1 === most && urgency > (before.get(id) ?? -1));
    const gone = [...before].filter(([id, urgency]) => URGENCY[urgency >> 1] === playing?.name && !calls.has(id));
    const byHand = gone.some(([id]) => document.getElementById(id)); // taken or silenced: it is still listed
    turnTo(URGENCY[most], { anew, byHand });
  }

  function turnTo(wanted, { anew, byHand }) {
    const now = context.currentTime;
    let end = now;
    let wait = SOUNDS[wanted]?.wait ?? 0;
    if (playing?.name === wanted) {
      end = playing && anew ? again(playing, now) : null;
      if (end === null) return;
    } else if (playing && !byHand && URGENCY.indexOf(wanted) < URGENCY.indexOf(playing.name)) {
      end = rest(playing, now);
      if (end > now) wait = Math.max(wait, BREATH);
    }
    testing?.cut(now);
    if (wanted) leaving?.cut(end);
    playing?.cut(end);
    [leaving, playing] = [playing, wanted ? begin(wanted, end + wait) : null];
  }

  // Each sound once, the most urgent first, while nothing calls; one more press ends it, and so does what really calls.
  function test() {
    if (trouble()) return;
    untried = testing ? [] : [...URGENCY].reverse();
    if (testing) testing.cut(context.currentTime);
    else tryNext();
  }

  function tryNext() {
    const name = playing ? undefined : untried.shift();
    testing = name ? begin(name, context.currentTime + BREATH) : null;
    if (testing) {
      testing.cut(testing.at + testing.burst);
      testing.source.onended = tryNext;
    }
    tell();
  }

  // What keeps the loudspeaker from us.
  const banner = document.getElementById("soundless");
  const button = document.getElementById("sound");
  let failed = false;
  let broken = false;
  let stalled = false;
  let hasRun = false;
  let hadSpeaker = false;
  let speechless = false;
  let looked = { at: 0, played: 0 };

  function trouble() {
    if (failed) return "SOUND OFF: reload this page";
    if (speechless) return "SOUND OFF: no loudspeaker is connected";
    return context.state === "running" && !stalled && !broken ? "" : "SOUND OFF: press here";
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tell() {
    hasRun ||= context.state === "running";
    const off = trouble();
    banner.hidden = !off;
    if (!off) banner.classList.remove("late"); // it has run once: what is off from now on is said at once
    write(banner.firstElementChild, off);
    document.body.dataset.sounding = (!off && playing?.name) || "";
    button.dataset.state = off ? "lost" : "live";
    const on = playing ? `Sounds: ${playing.told}` : testing ? `Test: ${testing.told}` : "Sound on";
    write(button, off ? "Sound off" : on);
    button.toggleAttribute("data-idle", !off && !playing && !testing);
  }

  function connect() {
    if (context && context.state !== "closed") context.close();
    context = new AudioContext();
    broken = false;
    calls = new Map();
    playing = leaving = testing = null;
    look();
    context.addEventListener("statechange", look); // from here on its clock has to move
    context.addEventListener("statechange", tell);
    context.addEventListener("error", () => {
      broken = true;
      tell();
    });
  }

  function arm() {
    if (context.state === "running") return;
    if (context.state === "closed") connect();
    context.resume().then(tell, tell); // whether it was allowed, the state says
  }

  function look() {
    looked = { at: performance.now(), played: context.currentTime };
  }

  // What stands still without saying so, or has failed, is made anew.
  function watch() {
    const before = looked;
    look();
    const passed = (looked.at - before.at) / 1000;
    if (passed > 0.5) stalled = context.state === "running" && looked.played - before.played < passed / 2;
    if (stalled || broken) connect();
    if (hasRun) arm();
    heed();
  }

  function heed() {
    try {
      follow();
      failed = false;
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      tell();
    }
  }

  // Chromium on a desk lists a loudspeaker to everybody; of another browser that has never listed one, nothing is known.
  const LISTS_THEM = "userAgentData" in navigator && "setSinkId" in HTMLMediaElement.prototype;
  async function lookForSpeaker() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const found = devices.some((device) => device.kind === "audiooutput");
    hadSpeaker ||= found;
    speechless = !found && (hadSpeaker || LISTS_THEM);
    tell();
  }

  if (navigator.audioSession) navigator.audioSession.type = "playback"; // an iPhone's mute switch is not for alarms
  connect();
  follow();
  const change = new MutationObserver(heed);
  const seen = { subtree: true, childList: true, attributeFilter: ["hidden", "data-sound", "data-state", "data-ends"] };
  for (const part of document.querySelectorAll(".ward, #blind, #unwatched")) change.observe(part, seen);
  for (const gesture of ["pointerup", "click", "keydown"]) document.addEventListener(gesture, arm, true);
  button.addEventListener("click", test);
  setInterval(watch, WATCH_EVERY);
  if (navigator.mediaDevices) {
    navigator.mediaDevices.addEventListener("devicechange", lookForSpeaker);
    setInterval(lookForSpeaker, LOOK_FOR_SPEAKER_EVERY);
    lookForSpeaker();
  }
  window.sounds = { plan, samples }; // read by tests
})();
