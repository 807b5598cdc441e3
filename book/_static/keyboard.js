// What the theme leaves out for readers without a mouse.
(() => {
  // The button of colours drops the focus when it is pressed.
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".theme-switch-button");
    if (button) setTimeout(() => button.focus({ preventScroll: true }));
  });

  // A formula wider than its place is reached by the tab key and then scrolled by arrows.
  async function reachFormulas() {
    await window.MathJax?.startup?.promise;
    for (const formula of document.querySelectorAll("mjx-container[display=true]")) {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    }
  }
  addEventListener("load", reachFormulas);
  addEventListener("resize", reachFormulas);
})();
