// Tables of class "book-table" are sorted by the buttons in their heads; without scripts they are plain tables.
// First click: upwards, second: downwards, third: as printed. Rows without a value stay last.
(() => {
  const ABSENT = new Set(["–", "not run", "not run yet", ""]);
  const text = (row, column) => row.cells[column].textContent.trim();
  const number = (cell) => parseFloat(cell.replace(/^\[/, "").replace("−", "-").replace(/,(?=\d{3})/g, ""));
  const numeric = (cells) => cells.every((cell) => /^\[?[+−-]?\d[\d.]*(,\d{3})*(e[+−-]\d+)?( ± .*|, .*\]| %| \[.*\])?$/.test(cell));

  function compare(rows, column) {
    const cells = rows.map((row) => text(row, column)).filter((cell) => !ABSENT.has(cell));
    return numeric(cells) ? (a, b) => number(a) - number(b) : (a, b) => a.localeCompare(b, "en", { numeric: true });
  }

  function sort(table, header, printed) {
    const next = { none: "ascending", ascending: "descending", descending: "none" }[header.getAttribute("aria-sort")];
    const column = header.cellIndex;
    const rows = [...printed];
    if (next !== "none") {
      const order = compare(rows, column);
      const sign = next === "ascending" ? 1 : -1;
      rows.sort((a, b) => {
        const [one, two] = [text(a, column), text(b, column)];
        return ABSENT.has(one) - ABSENT.has(two) || (ABSENT.has(one) ? 0 : sign * order(one, two));
      });
    }
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", next);
    table.tBodies[0].append(...rows);
  }

  function prepare(table) {
    const printed = [...table.tBodies[0].rows];
    for (const header of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "sort by this column";
      button.textContent = header.textContent.trim();
      header.replaceChildren(button);
      header.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(table, header, printed));
    }
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("table.book-table").forEach(prepare));
})();
