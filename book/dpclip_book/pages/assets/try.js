// The page "Try it": draw or pick a sketch, see the photos of the chosen category ranked. Needs the other scripts here.
(async () => {
  const $ = (name) => document.getElementById(`try-${name}`);
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const say = (text) => ($("status").textContent = text);
  const grey = (levels, label) => {
    const canvas = make("canvas");
    paintGrey(canvas, levels);
    if (label) {
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", label);
    }
    return canvas;
  };

  if (typeof DecompressionStream === "undefined") return say("This browser is too old for this page.");
  const data = await dpclipTry.openData();
  const category = () => data.categories[$("category").selectedIndex];
  let query = null; // {grey, label, row, truth: {category, photo}}; no truth for a drawing
  let asked = 0;

  async function rank() {
    if (!query) return;
    const mine = ++asked;
    const chosen = category();
    say($("result").hidden ? "Loading the model, once …" : "Ranking …");
    try {
      const found = await dpclipTry.rank(data, $("category").selectedIndex, query.grey);
      if (mine === asked) show(found, chosen); // an older answer is not wanted any more
    } catch (error) {
      say(`That did not work: ${error.message}.`);
    }
  }

  function show({ order, distance, heat, seconds }, chosen) {
    const truth = query.truth?.category === chosen ? query.truth.photo : -1;
    const place = order.indexOf(truth) + 1;
    $("ranking").replaceChildren(
      ...order.map((photo, rank) => {
        const { name, picture } = chosen.photos[photo];
        const item = make("li", { className: photo === truth ? "try-true" : "" });
        item.dataset.photo = photo;
        item.dataset.distance = distance[photo];
        item.append(
          make("img", { src: picture, alt: "" }),
          make("span", { className: "try-name", textContent: `${rank + 1}. ${name}` }),
          make("span", { className: "try-distance", textContent: distance[photo].toFixed(3) }),
        );
        if (photo === truth) item.append(make("strong", { textContent: "the true photo" }));
        return item;
      }),
    );
    $("sketch").replaceChildren(grey(query.grey, `The sketch: ${query.label}`));
    const bound = Math.max(...heat.map(Math.abs));
    const map = grey(query.grey, "The same sketch with its heatmap");
    enlarge(map, 2);
    paintHeat(map, heat, bound);
    $("heat").replaceChildren(map);
    $("bound").textContent = `−${bound.toFixed(2)} (blue) to ${bound.toFixed(2)} (red)`;
    $("hint").replaceChildren(
      ...chosen.hintSketches.map((levels) => grey(levels, "a sketch of the support set")),
      ...chosen.support.map((picture) => make("img", { src: picture, alt: "a photo of the support set" })),
    );
    $("words").textContent = chosen.words;
    $("result").hidden = false;
    $("result").dataset.query = `${chosen.name} ${query.row ?? "drawing"} ${asked}`;
    const nearest = `nearest: ${chosen.photos[order[0]].name}`;
    const found = place ? `; the true photo is number ${place}` : "";
    say(`${order.length} photos ranked in ${Math.round(1000 * seconds)} ms, in this browser; ${nearest}${found}.`);
  }

  function enlarge(canvas, times) {
    const copy = make("canvas", { width: canvas.width, height: canvas.height });
    copy.getContext("2d").drawImage(canvas, 0, 0);
    canvas.width = canvas.height = times * copy.width;
    canvas.getContext("2d").drawImage(copy, 0, 0, canvas.width, canvas.height);
  }

  function offerSketches() {
    const chosen = category();
    $("sketches").replaceChildren(
      ...chosen.sketches.map((sketch) => {
        const input = make("input", { type: "radio", name: "try-sketch", value: sketch.row });
        const label = `${sketch.name}, ${sketch.by}`;
        input.setAttribute("aria-label", label);
        input.addEventListener("change", () => {
          query = { grey: sketch.grey, label, row: sketch.row, truth: { category: chosen, photo: sketch.target } };
          rank();
        });
        return make("label", { title: label }, input, grey(sketch.grey));
      }),
    );
  }

  const paper = drawingPaper(
    $("paper"),
    () => $("width").valueAsNumber / 100,
    (strokes) => {
      for (const button of [$("undo"), $("clear")]) button.disabled = !strokes.length;
      if (!strokes.length) return;
      for (const input of document.querySelectorAll("[name=try-sketch]:checked")) input.checked = false;
      query = { grey: greyLevels($("paper"), data.size), label: "your drawing" };
      rank();
    },
  );
  $("undo").addEventListener("click", paper.undo);
  $("clear").addEventListener("click", paper.clear);
  $("category").addEventListener("change", () => {
    offerSketches();
    rank(); // the same sketch among other photos: what does a wrong category do?
  });
  offerSketches();
  $("controls").hidden = false;
  for (const example of document.querySelectorAll(".try-example")) example.hidden = true;
  say("Draw something of the category, or pick a sketch.");
})();
