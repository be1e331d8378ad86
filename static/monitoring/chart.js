// The chart prints itself where a script may run, and shows its newest columns; elsewhere the browser's own menu does.
(() => {
  "use strict";

  const button = document.getElementById("print");
  button.hidden = false;
  button.addEventListener("click", () => window.print());

  // Where a chart is wider than the screen the newest columns are in sight: an empty morning must not look like no measurements.
  for (const chart of document.querySelectorAll(".wide:has(.chart)")) chart.scrollLeft = chart.scrollWidth;
})();
