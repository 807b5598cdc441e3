// The page "Explore the results": the state is in the controls and in the address, and every change paints anew.
(() => {
  const E = window.Explorer;
  const { side, columns, sheets } = window.RANKINGS;
  const root = document.getElementById("explore");
  const form = root.querySelector("form");
  const list = document.getElementById("explore-queries");
  const body = root.querySelector("tbody");
  const base = document.querySelector('script[src$="/explore.js"]').src.replace(/explore\.js$/, "");
  let state, queries, at;

  const element = (tag, text = "", attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  // A picture of a sheet. Its size is --tile of the style sheet; the sheet is scaled with it.
  function tile(style, number, label) {
    const made = element("span", "", label ? { role: "img", "aria-label": label, title: label } : { "aria-hidden": "true" });
    made.className = "explore-tile";
    made.style.backgroundImage = `url("${base}${style}.webp")`;
    made.style.backgroundSize = `calc(${columns} * var(--tile)) calc(${Math.ceil(sheets[style] / columns)} * var(--tile))`;
    made.style.backgroundPosition = `calc(${-(number % columns)} * var(--tile)) calc(${-Math.floor(number / columns)} * var(--tile))`;
    return made;
  }

  function describe(query) {
    return `${E.photos[query.photo]}, ${E.words[query.category]}, drawn by hand ${query.hand}`;
  }

  function paintControls() {
    for (const name of Object.keys(E.OPTIONS)) form.elements[name].value = state[name];
    const on = E.modules(state.method);
    for (const part of ["V", "T", "patch"]) form.elements[part].checked = Boolean(on && on.includes(part));
  }

  function paintList() {
    list.replaceChildren(
      ...queries.map((query, number) => {
        const rank = query.ranks[state.method];
        const option = element("div", "", { role: "option", id: `query-${number}`, "aria-selected": "false" });
        option.setAttribute("aria-label", `${describe(query)}: rank ${rank}`);
        option.append(tile(query.style, query.picture), element("span", rank, { "aria-hidden": "true" }));
        option.classList.toggle("found", rank === 1);
        return option;
      }),
    );
  }

  // Rows of the table: Acc@1 over the queries of the list; rank and photos of the chosen one.
  function paintTable() {
    const query = queries[at];
    body.replaceChildren(
      ...E.shown(state).map((name) => {
        const line = element("tr");
        const head = element("th", name, { scope: "row" });
        if (name === state.method) line.className = "chosen";
        const count = E.found(queries, name);
        const share = queries.length ? count / queries.length : 0;
        const accuracy = element("td", queries.length ? `${(100 * share).toFixed(1)} %` : "–");
        accuracy.append(element("span", `${count} of ${queries.length}`, { class: "explore-count" }));
        accuracy.style.setProperty("--share", `${100 * share}%`);
        const photos = element("td");
        line.append(head, accuracy, element("td", query ? query.ranks[name] : "–"), photos);
        if (query) {
          line.classList.toggle("found", E.finds(query, name));
          const places = element("ol");
          query.first(name).forEach((photo, place) => {
            const own = photo === query.photo;
            const item = element("li", "", own ? { class: "true" } : {});
            item.append(tile("photo", photo, `${place + 1}. ${E.photos[photo]}${own ? ", the true photo" : ""}`));
            places.append(item);
          });
          photos.append(places);
        }
        return line;
      }),
    );
  }

  function paintQuery() {
    const query = queries[at];
    list.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    list.removeAttribute("aria-activedescendant");
    for (const id of ["explore-sketch", "explore-photo"]) document.getElementById(id).replaceChildren();
    document.getElementById("explore-about").textContent = query ? `${describe(query)}. Left: the sketch; right: its true photo.` : "";
    const status = document.getElementById("explore-status");
    status.textContent = `${queries.length} of ${E.choose({ ...state, which: "all" }).length} queries.`;
    document.getElementById("explore-back").disabled = !query || at === 0;
    document.getElementById("explore-on").disabled = !query || at === queries.length - 1;
    if (query) {
      const option = list.children[at];
      option.setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", option.id);
      const place = option.offsetTop - list.offsetTop;
      if (place < list.scrollTop) list.scrollTop = place;
      if (place + option.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = place + option.offsetHeight - list.clientHeight;
      document.getElementById("explore-sketch").append(tile(query.style, query.picture, `sketch of ${describe(query)}`));
      document.getElementById("explore-photo").append(tile("photo", query.photo, `true photo: ${E.photos[query.photo]}`));
      status.textContent += ` ${describe(query)}: ${state.method} ranks its photo ${query.ranks[state.method]}.`;
    }
    paintTable();
  }

  function paint() {
    queries = E.choose(state);
    at = Math.max(queries.findIndex((query) => query.id === state.query), 0);
    paintControls();
    paintList();
    paintQuery();
  }

  function change(changes) {
    state = { ...state, ...changes };
    history.replaceState(null, "", E.write(state) || location.pathname);
    paint();
  }

  function go(number) {
    if (!queries.length) return;
    at = Math.min(Math.max(number, 0), queries.length - 1);
    state.query = queries[at].id;
    history.replaceState(null, "", E.write(state));
    paintQuery();
  }

  for (const [name, options] of Object.entries(E.OPTIONS)) {
    form.elements[name].replaceChildren(...Object.entries(options).map(([value, [text]]) => new Option(text, value)));
  }
  form.addEventListener("change", (event) => {
    const { name, type, value } = event.target;
    if (type !== "checkbox") return change({ [name]: value });
    const row = E.withModules(["V", "T", "patch"].filter((part) => form.elements[part].checked));
    change(row ? { method: row } : {});
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    change({ ...E.DEFAULTS });
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest('[role="option"]');
    if (option) go([...list.children].indexOf(option));
  });
  list.addEventListener("keydown", (event) => {
    const line = Math.max(1, Math.floor(list.clientWidth / (list.firstChild?.offsetWidth || 1)));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: line, ArrowUp: -line, PageDown: 4 * line, PageUp: -4 * line, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(at + steps[event.key]);
  });
  document.getElementById("explore-back").addEventListener("click", () => go(at - 1));
  document.getElementById("explore-on").addEventListener("click", () => go(at + 1));
  window.addEventListener("hashchange", () => {
    state = E.read(location.hash);
    paint();
  });

  for (const part of document.querySelectorAll(".explore-static")) part.hidden = true;
  root.hidden = false;
  state = E.read(location.hash);
  paint();
})();
