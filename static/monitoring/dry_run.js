// Asks the API what the limits typed in would have called for, and shows the answer; errors go to their fields.
"use strict";
{
  // How an input is named on the page, and in the API.
  const NUMBERS = {
    critical_low: "critical_low", warning_low: "warning_low", warning_high: "warning_high", critical_high: "critical_high",
    delay: "delay_s", margin: "margin", bound_low: "bound_low", bound_high: "bound_high",
  };
  const SEVERITIES = ["critical", "warning"];

  // Every line of limits on the page: how its inputs are named, and what it says.
  function lines(panel) {
    const signs = [...document.querySelectorAll("select[data-limits]")].filter((select) => select.value && !select.closest(".empty-form"));
    return signs.map((select) => {
      const prefix = select.id.replace(/sign$/, "");
      const input = (name) => document.getElementById(prefix + name);
      return { prefix, input, sign: select.value, part: input("part")?.value ?? panel.dataset.part, gone: input("DELETE")?.checked ?? false };
    });
  }

  // Null for an empty input; what is no number goes as it is, and is refused by name.
  function number(input) {
    if (input.validity.badInput) return "";
    return input.value === "" ? null : Number(input.value);
  }

  function said(line) {
    const item = { sign: line.sign, part: line.part };
    for (const [name, field] of Object.entries(NUMBERS)) if (line.input(name)) item[field] = number(line.input(name));
    return item;
  }

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function table(caption, head, rows) {
    const made = element("table");
    made.append(element("caption", caption));
    const top = head.length ? made.createTHead().insertRow() : null;
    head.forEach((text, place) => top.append(Object.assign(element("th", text, place ? "number" : ""), { scope: "col" })));
    const body = made.createTBody();
    for (const [name, ...cells] of rows) {
      const row = body.insertRow();
      row.append(Object.assign(element("th", name), { scope: "row" }));
      cells.forEach((cell) => row.append(element("td", cell, "number")));
    }
    return made;
  }

  const words = (name) => name.replaceAll("_", " ");
  const change = (was, becomes) => (was === becomes ? "=" : `${becomes > was ? "+" : "−"}${Math.abs(becomes - was)}`);

  function delayed(delay) {
    const parts = [];
    if (delay.later) parts.push(`${delay.later} later: by ${delay.median_s} s in the middle, ${delay.longest_s} s at most`);
    if (delay.sooner) parts.push(`${delay.sooner} sooner`);
    if (delay.unchanged) parts.push(`${delay.unchanged} at the same time`);
    return parts.join("; ") || "none is told by both";
  }

  function calls(answer) {
    const kinds = new Map();
    for (const run of ["present", "proposed"]) {
      for (const { kind, severity, raised = 0, reraised = 0, reopened = 0 } of answer[run].kinds) {
        if (!SEVERITIES.includes(severity)) continue;
        const name = `${severity}, ${kind}`;
        if (!kinds.has(name)) kinds.set(name, { present: 0, proposed: 0 });
        kinds.get(name)[run] += raised + reraised + reopened;
      }
    }
    const row = (name, was, becomes) => [name, was, becomes, change(was, becomes)];
    const rows = [...kinds].sort().map(([name, of]) => row(name, of.present, of.proposed));
    return [...rows, row("all", answer.present.calls, answer.proposed.calls)];
  }

  function critical(answer) {
    const clock = new Intl.DateTimeFormat("sv-SE", { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const rows = answer.lost_critical.map((one) => [
      `${one.bed} ${one.patient_id}`, clock.format(new Date(one.at)), words(one.condition),
      one.worst_value === null ? "" : `${one.worst_value} (limit ${one.limit})`, one.becomes ? `only a ${one.becomes}` : "no alert",
    ]);
    const count = answer.lost_critical_count;
    const title = `${count} critical ${count === 1 ? "call" : "calls"} that would be lost` +
      (count > rows.length ? `, the first ${rows.length}` : "");
    const made = element("div", undefined, "dry-run-lost");
    made.append(table(title, ["Patient", "When", "Condition", "Worst", "Becomes"], rows));
    return made;
  }

  function show(place, answer) {
    const span = `the last ${answer.hours} h, ${answer.patients} ${answer.patients === 1 ? "patient" : "patients"}, ${answer.readings} readings`;
    const lost = SEVERITIES.map((severity) => `${answer.lost[severity]} ${severity}`).join(", ");
    const gained = SEVERITIES.map((severity) => `${answer.gained[severity]} ${severity}`).join(", ");
    const figures = [["Calls saved", String(answer.saved)], ["Calls added", String(answer.added)],
      ["Excursions no longer told", lost], ["Excursions told for the first time", gained],
      ["Told by both", delayed(answer.delay)], ["Critical ones told by both", delayed(answer.critical_delay)]];
    place.replaceChildren(table(`Calls in ${span}`, ["", "In force", "Typed in", "Change"], calls(answer)));
    if (answer.lost_critical_count) place.append(critical(answer));
    place.append(table("What changes", [], figures));
    const notes = element("ul", undefined, "dry-run-notes");
    answer.notes.forEach((note) => notes.append(element("li", note)));
    place.append(notes);
  }

  // Errors at their fields, and those without a field on the page above the answer.
  function complain(place, answer, sent) {
    const byField = Object.fromEntries(Object.entries(NUMBERS).map(([name, field]) => [field, name]));
    place.replaceChildren(element("p", "These limits cannot be set so.", "dry-run-failed"));
    for (const error of answer.errors) {
      const line = error.field.startsWith("without.") ? undefined : sent[error.index];
      const input = line?.input(byField[error.field] ?? error.field);
      if (input) {
        const list = element("ul", undefined, "errorlist dry-run-error");
        list.append(element("li", error.detail));
        input.before(list);
      } else {
        place.append(element("p", `${words(error.field)}: ${error.detail}`));
      }
    }
    document.querySelector(".dry-run-error")?.scrollIntoView({ block: "center" });
  }

  async function ask(panel) {
    const place = panel.querySelector(".dry-run-answer");
    const all = lines(panel);
    const sent = all.filter((line) => !line.gone);
    const subject = panel.dataset.patient ? { patient_id: panel.dataset.patient } : { ward: panel.querySelector(".dry-run-ward").value };
    const body = { ...subject, level: panel.dataset.level, hours: Number(panel.querySelector(".dry-run-hours").value),
      limits: sent.map(said), without: all.filter((line) => line.gone).map(({ sign, part }) => ({ sign, part })) };
    document.querySelectorAll(".dry-run-error").forEach((error) => error.remove());
    place.replaceChildren(element("p", "Running the stored vitals through the alarm…"));
    const response = await fetch(panel.dataset.address, { method: "POST", body: JSON.stringify(body), headers: {
      "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value } });
    const answer = await response.json();
    if (response.ok) show(place, answer);
    else if (answer.errors) complain(place, answer, sent);
    else place.replaceChildren(element("p", answer.detail, "dry-run-failed"));
  }

  function begin(panel) {
    const button = panel.querySelector(".dry-run-ask");
    document.getElementById("thresholds-group")?.after(panel); // on the page of a ward other lists follow
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await ask(panel);
      } catch {
        panel.querySelector(".dry-run-answer").replaceChildren(element("p", "The server did not answer. Try again.", "dry-run-failed"));
      } finally {
        button.disabled = false;
      }
    });
  }

  const panel = document.getElementById("dry-run");
  if (panel) begin(panel);
}
