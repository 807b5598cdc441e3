// The pad of a notebook (dpclip/report/drawing_pad.py), behind drawing.js in one module: strokes go to Python when the
// button is pressed, the answer comes back as a picture.
function render({ model, el }) {
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const canvas = make("canvas", { width: 448, height: 448 });
  canvas.style.cssText = "display: block; width: 280px; height: 280px; border: 1px solid #888; cursor: crosshair";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Your drawing");
  const width = make("input", { type: "range", min: 1, max: 6, step: 0.5, value: 2.5 });
  const button = (words) => make("button", { type: "button", className: "jupyter-button", textContent: words, disabled: true });
  const [undo, clear, find] = ["Undo", "Clear", "Find"].map(button);
  const message = make("p", {});
  message.setAttribute("role", "status");
  const answer = make("img", { alt: "The drawing, its heatmap and the nearest photos" });
  answer.style.maxWidth = "100%";

  let drawn = [];
  const paper = drawingPaper(canvas, () => width.valueAsNumber / 100, (strokes) => {
    drawn = strokes;
    for (const one of [undo, clear, find]) one.disabled = !drawn.length;
  });
  undo.addEventListener("click", paper.undo);
  clear.addEventListener("click", paper.clear);
  find.addEventListener("click", () => {
    message.textContent = "Looking …";
    model.set("strokes", structuredClone(drawn));
    model.set("asked", model.get("asked") + 1);
    model.save_changes();
  });
  const show = () => {
    message.textContent = model.get("message");
    const picture = model.get("picture"); // a DataView
    answer.hidden = !picture?.byteLength;
    URL.revokeObjectURL(answer.src);
    if (!answer.hidden) answer.src = URL.createObjectURL(new Blob([picture], { type: "image/png" }));
  };
  model.on("change:answered", show);
  show();
  const tools = make("div", {}, undo, clear, make("label", { textContent: " Stroke " }, width), find);
  tools.style.cssText = "display: flex; flex-wrap: wrap; gap: 0.5em; align-items: center; margin: 0.5em 0";
  el.append(canvas, tools, message, answer);
}

export default { render };
