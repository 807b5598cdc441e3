// Pictures as numbers, as dpclip.data.images reads a file: grey levels, made smaller by bicubic averaging as in Pillow.
function bicubic(x) {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

// For each of `size` new pixels the old ones it averages: [first, weights].
function averages(side, size) {
  const scale = side / size;
  return Array.from({ length: size }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(Math.floor(centre - 2 * scale + 0.5), 0);
    const last = Math.min(Math.floor(centre + 2 * scale + 0.5), side);
    const weights = Array.from({ length: last - first }, (_, k) => bicubic((first + k + 0.5 - centre) / scale));
    const sum = weights.reduce((a, b) => a + b, 0);
    return [first, weights.map((weight) => weight / sum)];
  });
}

// Grey levels (rows, side) -> (size, rows): averaged along the row and turned, so that doing it twice does both.
function turned(grey, side, size) {
  const rows = grey.length / side;
  const out = new Uint8ClampedArray(size * rows);
  averages(side, size).forEach(([first, weights], x) => {
    for (let y = 0; y < rows; y++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * grey[y * side + first + k];
      out[x * rows + y] = Math.floor(Math.max(sum, 0) + 0.5);
    }
  });
  return out;
}

// The grey levels (size, size) of a square canvas.
function greyLevels(canvas, size) {
  const side = canvas.width;
  const pixels = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, side, side).data;
  const grey = pixels.filter((_, place) => place % 4 === 0); // red: the drawing is black on white
  return turned(turned(grey, side, size), side, size);
}

// Grey levels (size, size) onto a canvas of that size.
function paintGrey(canvas, grey) {
  const size = Math.sqrt(grey.length);
  canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  grey.forEach((level, place) => image.data.set([level, level, level, 255], 4 * place));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// A map (g, g) of cosines over what is there already: red above zero, blue below, stronger the further from zero.
function paintHeat(canvas, heat, bound) {
  const pen = canvas.getContext("2d");
  const grid = Math.sqrt(heat.length);
  const step = canvas.width / grid;
  heat.forEach((value, place) => {
    pen.fillStyle = `rgb(${value > 0 ? "178 24 43" : "33 102 172"} / ${0.75 * Math.abs(value) / bound})`;
    pen.fillRect((place % grid) * step, Math.floor(place / grid) * step, step, step);
  });
}
