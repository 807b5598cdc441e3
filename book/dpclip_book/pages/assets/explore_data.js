// The recorded rankings as queries, and what can be asked of them: filters, orders, Acc@1. Nothing here touches the page.
// A query: {id, category, style, hand, protocol, picture, photo, ranks: {row: number}, first: {row: [photo, ...]}}.
window.Explorer = (() => {
  const { rows, tests, start, letters, photos, words } = window.RANKINGS;
  const names = Object.keys(rows);
  const HANDS = { 1: "hurried", 5: "practised" };

  const queries = tests.flatMap((test) => {
    const photo = (letter) => start[test.category] + letters.indexOf(letter);
    const first = Object.fromEntries(names.map((name) => [name, test.first[name].split(" ")]));
    return test.names.map((name, number) => ({
      id: `${test.category}/${name}`,
      category: test.category,
      style: test.style,
      hand: name.split("-").pop(),
      protocol: test.protocol,
      picture: test.pictures[number],
      photo: test.photos[number],
      ranks: Object.fromEntries(names.map((row) => [row, test.ranks[row][number]])),
      first: (row) => [...first[row][number]].map(photo),
    }));
  });

  const finds = (query, row) => query.ranks[row] === 1;
  const WHICH = {
    all: ["all", () => true],
    found: ["Method finds", (query, s) => finds(query, s.method)],
    missed: ["Method misses", (query, s) => !finds(query, s.method)],
    won: ["Method finds, the other misses", (query, s) => finds(query, s.method) && !finds(query, s.other)],
    lost: ["Method misses, the other finds", (query, s) => !finds(query, s.method) && finds(query, s.other)],
    none: ["all rows below miss", (query, s) => shown(s).every((row) => !finds(query, row))],
    every: ["all rows below find", (query, s) => shown(s).every((row) => finds(query, row))],
  };
  const gap = (query, s) => query.ranks[s.other] - query.ranks[s.method];
  const SORT = {
    name: ["by name", () => 0],
    worst: ["worst rank of Method first", (a, b, s) => b.ranks[s.method] - a.ranks[s.method]],
    best: ["best rank of Method first", (a, b, s) => a.ranks[s.method] - b.ranks[s.method]],
    gain: ["largest gain over the other first", (a, b, s) => gap(b, s) - gap(a, s)],
  };
  const ROWS = {
    all: ["all", () => true],
    1: ["Table 1: methods", (row) => rows[row].tables.includes("1")],
    3: ["Table 3: modules on and off", (row) => rows[row].tables.includes("3")],
  };
  const SKETCHES = { all: ["by all hands", () => true] };
  for (const hand of [1, 2, 3, 4, 5]) {
    const skill = HANDS[hand] ? ` (${HANDS[hand]})` : "";
    SKETCHES[`hand-${hand}`] = [`by hand ${hand}${skill}`, (query) => query.hand === String(hand)];
  }

  const same = (list) => Object.fromEntries(list.map((value) => [value, [value]]));
  const OPTIONS = {
    category: { all: ["all"], ...Object.fromEntries(Object.entries(words).map(([name, text]) => [name, [text]])) },
    sketches: SKETCHES,
    protocol: same([...new Set(tests.map((test) => test.protocol))].sort()),
    method: same(names),
    other: same(names),
    which: WHICH,
    sort: SORT,
    rows: ROWS,
  };
  const DEFAULTS = {
    category: "all", sketches: "all", protocol: "held-out", which: "all", sort: "name", rows: "all", query: "",
    method: names.includes("DP-CLIP") ? "DP-CLIP" : names[0],
    other: names.includes("no module") ? "no module" : names[names.length - 1],
  };

  const shown = (state) => names.filter((row) => ROWS[state.rows][1](row));

  function choose(state) {
    const kept = queries.filter(
      (query) =>
        query.protocol === state.protocol &&
        (state.category === "all" || query.category === state.category) &&
        SKETCHES[state.sketches][1](query) &&
        WHICH[state.which][1](query, state),
    );
    return kept.sort((a, b) => SORT[state.sort][1](a, b, state)); // stable: equal ones stay by name
  }

  const found = (list, row) => list.filter((query) => finds(query, row)).length;

  // The modules that are on in a row, and the row with some modules on.
  const modules = (row) => rows[row].modules;
  const withModules = (on) => names.find((row) => modules(row) && String(modules(row)) === String(on));

  // "#query=...&method=..." holds what differs from the defaults; what is unknown is passed over.
  function read(fragment) {
    const given = Object.fromEntries(new URLSearchParams(fragment.replace(/^#/, "")));
    const known = Object.entries(given).filter(([name, value]) => name === "query" || (OPTIONS[name] && Object.hasOwn(OPTIONS[name], value)));
    return { ...DEFAULTS, ...Object.fromEntries(known) };
  }
  function write(state) {
    const changed = Object.entries(state).filter(([name, value]) => value && value !== DEFAULTS[name]);
    return changed.length ? `#${new URLSearchParams(changed)}` : "";
  }

  return { OPTIONS, DEFAULTS, choose, found, finds, shown, modules, withModules, read, write, photos, words };
})();
