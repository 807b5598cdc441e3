// White paper to draw on with mouse, finger or pen. A stroke is {width, points: [[x, y], ...]}, all in shares of the
// paper's side, so that it means the same on a paper of any size.
function paintStrokes(canvas, strokes) {
  const side = canvas.width;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "white";
  pen.fillRect(0, 0, side, side);
  pen.strokeStyle = "black";
  pen.lineCap = pen.lineJoin = "round";
  for (const { width, points } of strokes) {
    pen.lineWidth = width * side;
    pen.beginPath();
    pen.moveTo(points[0][0] * side, points[0][1] * side);
    for (const [x, y] of points.length > 1 ? points.slice(1) : points) pen.lineTo(x * side, y * side); // one point: a dot
    pen.stroke();
  }
}

// Lets a reader draw on `canvas` with lines of `width()`. `changed(strokes)` is called after each whole stroke, undo
// and clear.
function drawingPaper(canvas, width, changed) {
  let strokes = [];
  let drawing = null; // the pointer that draws: a second finger or a palm does not
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const set = (next) => {
    strokes = next;
    paintStrokes(canvas, strokes);
    changed(strokes);
  };

  canvas.style.touchAction = "none"; // a finger draws and does not scroll
  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== null || event.button !== 0) return;
    drawing = event.pointerId;
    canvas.setPointerCapture(drawing);
    strokes.push({ width: width(), points: [point(event)] });
    paintStrokes(canvas, strokes);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    const between = event.getCoalescedEvents?.() ?? [];
    strokes[strokes.length - 1].points.push(...(between.length ? between : [event]).map(point));
    paintStrokes(canvas, strokes);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId !== drawing) return;
      drawing = null;
      changed(strokes);
    });
  }
  paintStrokes(canvas, strokes);
  return { undo: () => set(strokes.slice(0, -1)), clear: () => set([]) };
}
