// Shows the definition of a glossary term or a symbol while it is pointed at, focused or tapped. Escape, a tap elsewhere
// or scrolling away closes it. The texts are on the page already (book/dpclip_book/ext/definitions.py).
document.addEventListener("DOMContentLoaded", () => {
  if (!document.querySelector("[data-definition]")) return;
  const bubble = document.createElement("div");
  bubble.className = "definition-bubble";
  bubble.setAttribute("aria-hidden", "true"); // a screen reader has the text by aria-describedby
  bubble.hidden = true;
  document.body.append(bubble);
  let owner = null;
  let closing = 0;

  const close = () => {
    clearTimeout(closing);
    bubble.hidden = true;
    owner = null;
  };
  const closeSoon = () => { closing = setTimeout(close, 200); }; // time to move the pointer onto the bubble
  const place = () => {
    const at = owner.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - bubble.offsetWidth - 8));
    const below = at.bottom + bubble.offsetHeight + 8 < innerHeight;
    bubble.style.left = `${left}px`;
    bubble.style.top = `${below ? at.bottom + 4 : at.top - bubble.offsetHeight - 4}px`;
  };
  const open = (mark) => {
    clearTimeout(closing);
    if (owner === mark) return;
    owner = mark;
    bubble.textContent = document.getElementById(mark.dataset.definition).textContent;
    bubble.hidden = false;
    place();
  };
  const markOf = (event) => event.target.closest?.("[data-definition]");

  let touched = false;
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    if (bubble.contains(event.target)) clearTimeout(closing);
    else if (markOf(event)) open(markOf(event));
    else if (owner && !owner.contains(document.activeElement)) closeSoon();
  });
  document.addEventListener("pointerdown", (event) => {
    touched = event.pointerType === "touch";
    if (!markOf(event) && !bubble.contains(event.target)) close();
  });
  // The first tap shows the definition, the second follows the link.
  document.addEventListener("click", (event) => {
    const mark = markOf(event);
    if (!mark || !touched || mark.dataset.tapped) return;
    event.preventDefault();
    document.querySelectorAll("[data-tapped]").forEach((other) => delete other.dataset.tapped);
    mark.dataset.tapped = "yes";
    open(mark);
  });
  document.addEventListener("focusin", (event) => {
    const mark = markOf(event);
    if (mark) open(mark);
    else close();
  });
  document.addEventListener("focusout", closeSoon);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  addEventListener("scroll", () => { if (owner) place(); }, { passive: true, capture: true });
});
