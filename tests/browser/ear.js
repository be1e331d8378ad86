// What the tests hear. `Rendered` stands where the loudspeaker is: its clock is moved by the test, and all that was played is kept.
class Rendered extends OfflineAudioContext {
  constructor() {
    super(1, 60 * 44100, 44100);
    window.loudspeaker = this;
  }

  get state() {
    return "running";
  }

  // To the page it is a context that plays; only the test moves it.
  async resume() {}
  async close() {}

  async until(seconds) {
    const there = this.suspend(seconds);
    if (this.heard) OfflineAudioContext.prototype.resume.call(this);
    else this.heard = this.startRendering();
    await there;
  }

  async end() {
    if (this.heard) OfflineAudioContext.prototype.resume.call(this);
    else this.heard = this.startRendering();
    return pulses((await this.heard).getChannelData(0), this.sampleRate);
  }
}

// Where something is heard: stretches of sound with at least 10 ms of silence between.
function stretches(samples, rate) {
  const found = [];
  let last = -Infinity;
  samples.forEach((sample, place) => {
    if (Math.abs(sample) < 1e-4) return;
    if (place - last > rate / 100) found.push([place, place]);
    found.at(-1)[1] = last = place;
  });
  return found;
}

const windowed = (samples) => samples.map((sample, place) => sample * (1 - Math.cos((2 * Math.PI * place) / samples.length)));

// How much of one frequency is in a stretch (Goertzel's sum).
function level(samples, rate, frequency) {
  const turn = 2 * Math.cos((2 * Math.PI * frequency) / rate);
  let one = 0;
  let two = 0;
  for (let place = 0; place < samples.length; place++) {
    const next = samples[place] + turn * one - two;
    two = one;
    one = next;
  }
  return Math.sqrt(one * one + two * two - turn * one * two) / samples.length;
}

function pulses(samples, rate) {
  return stretches(samples, rate).map(([first, last]) => {
    const heard = samples.subarray(first, last + 1);
    const peak = heard.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    const reaches = (part) => heard.findIndex((sample) => Math.abs(sample) >= part * peak);
    const leaves = (part) => heard.findLastIndex((sample) => Math.abs(sample) >= part * peak);
    const tone = windowed(heard);
    const spectrum = Array.from({ length: 551 }, (_, place) => level(tone, rate, 100 + 2 * place));
    const pitch = 100 + 2 * spectrum.indexOf(Math.max(...spectrum));
    const harmonics = Array.from({ length: Math.floor(4000 / pitch) - 1 }, (_, place) => (place + 2) * pitch);
    return {
      begins: first / rate,
      ends: last / rate,
      reaches90: (first + reaches(0.9)) / rate,
      leaves90: (first + leaves(0.9)) / rate,
      rises: (reaches(0.9) - reaches(0.1)) / rate,
      peak,
      pitch,
      harmonics: harmonics.map((each) => [each, 20 * Math.log10(level(tone, rate, each) / level(tone, rate, pitch))]),
    };
  });
}

window.AudioContext = Rendered;
