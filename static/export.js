// Takes an export with its rows counted while they come, and keeps it only when it is whole.
// Without this script the form itself downloads the file.
(() => {
  "use strict";

  const form = document.getElementById("export");
  const line = document.getElementById("progress");
  const [bar, told] = [line.querySelector("progress"), line.querySelector("output")];
  const [choose, cancel] = line.querySelectorAll("button");
  let under_way = null;

  // A moment is asked for only where no preset says it.
  function shape({ elements }) {
    for (const moment of [elements.from, elements.to]) {
      moment.hidden = elements.period.value !== "own";
      document.querySelector(`label[for="${moment.id}"]`).hidden = moment.hidden;
    }
  }

  function say(sentence) {
    told.textContent = sentence;
  }

  // Rows of CSV end with a line's end: its head and its last row are no rows.
  function lines() {
    let count = -1;
    let tail = "";
    return {
      add: (chunk) => {
        for (const byte of chunk) if (byte === 10) count += 1;
        tail = (tail + new TextDecoder("latin1").decode(chunk)).slice(-400);
      },
      rows: () => Math.max(0, count),
      whole: () => tail.includes("End of export: "),
    };
  }

  // The rows of a workbook come first in it, packed: they are unpacked only to be counted. Its directory comes last.
  function sheet() {
    const unpack = new DecompressionStream("deflate-raw");
    const writer = unpack.writable.getWriter();
    let head = new Uint8Array(0);
    let [begun, count, rest, tail] = [false, -1, "", []];
    (async () => {
      const letters = new TextDecoder();
      const reader = unpack.readable.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const text = rest + letters.decode(next.value, { stream: true });
        count += text.split("<row>").length - 1;
        rest = text.slice(-4);
      }
    })().catch(() => {}); // after the sheet come other parts, which are no concern of this
    const give = (chunk) => writer.write(chunk).catch(() => {});
    return {
      add: (chunk) => {
        tail = [...tail, ...chunk.slice(-22)].slice(-22);
        if (begun) return give(chunk);
        head = Uint8Array.from([...head, ...chunk]);
        if (head.length < 30) return undefined;
        const sizes = new DataView(head.buffer);
        const begins = 30 + sizes.getUint16(26, true) + sizes.getUint16(28, true);
        if (head.length < begins) return undefined;
        begun = true;
        return give(head.slice(begins));
      },
      rows: () => Math.max(0, count),
      whole: () => tail[0] === 0x50 && tail[1] === 0x4b && tail[2] === 5 && tail[3] === 6,
    };
  }

  // In memory until it is whole, and then a download.
  function held(kind, name) {
    const pieces = [];
    return {
      add: (chunk) => pieces.push(chunk),
      keep: () => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(pieces, { type: kind }));
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      },
      drop: () => {},
    };
  }

  // On the disk while it comes: the browser writes beside the file, which is there when all is written.
  async function written(name, signal) {
    const file = await place(name, signal);
    const disk = await file.createWritable();
    return {
      add: (chunk) => disk.write(chunk),
      keep: () => disk.close(),
      drop: async () => {
        await disk.abort().catch(() => {}); // where the disk itself failed there is nothing to give up
        if ((await file.getFile()).size === 0) await file.remove?.(); // an empty one is what the dialog made
      },
    };
  }

  // Browsers ask for a place only where a button was pressed. Who closes the dialog may press again.
  function place(name, signal) {
    choose.hidden = false;
    const placed = new Promise((found, failed) => {
      signal.addEventListener("abort", () => failed(signal.reason));
      choose.onclick = () =>
        window.showSaveFilePicker({ suggestedName: name }).then(found, (problem) => {
          if (problem.name !== "AbortError") failed(problem);
        });
    });
    return placed.finally(() => {
      choose.hidden = true;
    });
  }

  async function take(address, signal) {
    const answer = await fetch(address, { signal });
    const kind = answer.headers.get("Content-Type") || "";
    if (!answer.ok || kind.startsWith("text/html")) {
      location.assign(address); // the page itself says what is wrong
      return;
    }
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    const total = Number(answer.headers.get("X-Total-Rows"));
    const is_large = total > Number(form.dataset.most) && "showSaveFilePicker" in window;
    if (is_large) say(`${total.toLocaleString("en")} rows go straight to the disk: say where, within two minutes.`);
    const sink = is_large ? await written(name, signal) : held(kind, name);
    try {
      await fill(sink, answer.body.getReader(), kind.startsWith("text/csv") ? lines() : sheet(), total);
      await sink.keep();
    } catch (problem) {
      await sink.drop();
      throw problem;
    }
    bar.value = bar.max;
    say(`${total.toLocaleString("en")} rows: the file is whole.`);
  }

  // Raises for what is cut off.
  async function fill(sink, reader, counter, total) {
    bar.max = Math.max(1, total);
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      counter.add(next.value);
      await sink.add(next.value);
      bar.value = Math.min(total, counter.rows());
      say(`${bar.value.toLocaleString("en")} of ${total.toLocaleString("en")} rows`);
    }
    if (!counter.whole()) throw new TypeError("cut off");
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    under_way?.abort();
    const mine = new AbortController();
    under_way = mine;
    line.hidden = false;
    cancel.hidden = false;
    bar.removeAttribute("value");
    say("Counting…");
    try {
      await take(`${location.pathname}?${new URLSearchParams(new FormData(form))}`, mine.signal);
    } catch (problem) {
      if (mine !== under_way) return;
      say(problem.name === "AbortError" ? "Cancelled: nothing was kept." : "It broke off: nothing was kept. Take it again.");
    }
    cancel.hidden = true;
  });
  cancel.addEventListener("click", () => under_way?.abort());
  for (const each of document.querySelectorAll(".questions")) {
    each.addEventListener("change", () => shape(each));
    shape(each);
  }
})();
