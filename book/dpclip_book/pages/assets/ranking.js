// The model in the page. Everything comes in classic scripts, because a page opened from a disk may not fetch files:
// data.js describes the categories, model.js and runtime.js carry the network and onnxruntime-web, and come when they
// are first needed.
const dpclipTry = (() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const parts = {};
  let session = null;

  const receive = (name, value) => {
    parts[name] = value;
  };

  function load(name) {
    return new Promise((resolve, reject) => {
      if (parts[name]) return resolve(parts[name]);
      const script = document.createElement("script");
      script.src = `${folder}${name}.js`;
      script.onload = () => resolve(parts[name]);
      script.onerror = () => reject(new Error(`${name}.js is missing beside this page`));
      document.head.append(script);
    });
  }

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  async function openData() {
    const data = await load("data");
    data.contexts = new Float32Array(await unpack(data.contexts));
    data.features = new Int16Array(await unpack(data.features));
    data.sketches = new Uint8ClampedArray(await unpack(data.sketches));
    const area = data.size ** 2;
    let photo = 0;
    let sketch = 0;
    const take = () => data.sketches.subarray(sketch * area, ++sketch * area);
    for (const category of data.categories) {
      category.firstPhoto = photo;
      photo += category.photos.length;
      for (const one of category.sketches) one.grey = take();
      category.hintSketches = Array.from({ length: category.hints }, take);
    }
    return data;
  }

  async function openSession() {
    const [runtime, model] = await Promise.all([load("runtime"), load("model")]);
    const script = new Blob([runtime.script], { type: "text/javascript" });
    ort.env.wasm.numThreads = 1; // more would need headers that only a server can send
    ort.env.wasm.wasmPaths = { mjs: URL.createObjectURL(script) };
    ort.env.wasm.wasmBinary = await unpack(runtime.wasm);
    const opened = await ort.InferenceSession.create(await unpack(model));
    delete parts.runtime;
    delete parts.model;
    return opened;
  }

  // The photos of category number `number`, nearest first, for grey levels (S, S): {order, distance, heat, seconds}.
  async function rank(data, number, grey) {
    session ??= openSession();
    const network = await session;
    const { prompts, scales, size } = data;
    const category = data.categories[number];
    const product = (sizes) => sizes.reduce((a, b) => a * b);
    const begun = performance.now();
    const start = number * (product(prompts) + product(scales));
    const middle = start + product(prompts);
    const tensor = (values, shape) => new ort.Tensor("float32", values, shape);
    const { features, heatmap } = await network.run({
      sketch: tensor(Float32Array.from(grey, (level) => level / 255), [1, 1, size, size]),
      prompts: tensor(data.contexts.slice(start, middle), prompts),
      scales: tensor(data.contexts.slice(middle, middle + product(scales)), scales),
    });
    const distance = category.photos.map((_, place) => photoDistance(data, category.firstPhoto + place, features.data));
    const order = distance.map((_, place) => place).sort((a, b) => distance[a] - distance[b] || a - b);
    return { order, distance, heat: heatmap.data, seconds: (performance.now() - begun) / 1000 };
  }

  // 1 - cos of the global features, plus `fusion` times the sum of 1 - cos of the windows.
  function photoDistance(data, photo, sketch) {
    const [levels, width] = data.levels;
    let sum = 0;
    for (let level = 0; level < levels; level++) {
      const place = (photo * levels + level) * width;
      let cosine = 0;
      for (let k = 0; k < width; k++) cosine += sketch[level * width + k] * data.features[place + k];
      sum += (level ? data.fusion : 1) * (1 - cosine / data.largest);
    }
    return sum;
  }

  return { receive, openData, rank };
})();
