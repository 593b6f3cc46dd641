// Runs before the first paint, so that the theme does not flash. A file, not inline: the content policy forbids inline scripts.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("mainspring.theme");
  } catch (_) {
    // Storage is barred: the system's preference applies.
  }
  if (chosen !== "light" && chosen !== "dark") {
    chosen = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.dataset.theme = chosen;
})();
