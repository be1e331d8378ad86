// Choosing a sign fills in the limits that the override would replace; what somebody typed is left alone.
"use strict";
{
  const SIDES = ["critical_low", "warning_low", "warning_high", "critical_high"];

  function fill(select) {
    const limits = JSON.parse(select.dataset.limits)[select.value];
    const inputs = SIDES.map((side) => document.getElementById(select.id.replace(/sign$/, side)));
    const untouched = inputs.every((input) => input.value === "" || input.value === input.dataset.filled);
    if (!limits || !untouched) return;
    inputs.forEach((input, place) => {
      input.value = input.dataset.filled = limits[place] ?? "";
    });
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-limits]")) fill(event.target);
  });
}
