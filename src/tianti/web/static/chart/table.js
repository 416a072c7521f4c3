// What a chart is made of: the table of its figure, read as numbers, and as CSV.

/**
 * @typedef {{series: string, label: string, x: number, y: number, low: number, high: number, mark: boolean}} Row
 * Missing numbers are NaN; `xSaid` is what has to be said of the x axis beside its name.
 * @typedef {{kind: string, xName: string, xSaid: string, yName: string, xLog: boolean, rows: Row[], series: string[]}} Table
 */

/** @param {HTMLElement} figure @returns {Table} */
export function read(figure) {
  const table = figure.querySelector("table");
  const heads = Array.from(table.tHead.rows[0].cells);
  const head = (role) => heads.find((cell) => cell.dataset.role === role);
  const rows = Array.from(table.tBodies[0].rows, (row) => {
    const cell = (role) => row.cells[heads.indexOf(head(role))];
    const range = cell("range");
    return {
      series: text(cell("series")),
      label: text(cell("label")),
      x: number(cell("x")?.dataset.value),
      y: number(cell("y")?.dataset.value),
      low: number(range?.dataset.low),
      high: number(range?.dataset.high),
      mark: cell("mark")?.dataset.value === "1",
    };
  });
  return {
    kind: figure.dataset.kind,
    xName: head("x").dataset.name,
    xSaid: head("x").dataset.said ?? "",
    yName: head("y")?.dataset.name ?? "",
    xLog: head("x").dataset.scale === "log",
    rows,
    // In the order of their names, so that a series has the same colour in all charts of a page.
    series: [...new Set(rows.map((row) => row.series))].sort(),
  };
}

function text(cell) {
  return cell?.textContent.trim() ?? "";
}

function number(value) {
  return value === undefined || value === "" ? NaN : Number(value);
}

/** The table as CSV: numbers as they are, an interval in two columns. @param {HTMLTableElement} table */
export function csv(table) {
  const lines = [...table.tHead.rows, ...table.tBodies[0].rows].map((row) =>
    Array.from(row.cells).flatMap((cell) => {
      if (cell.dataset.role === "range") return [`${text(cell)} low`, `${text(cell)} high`].map(quoted);
      if (cell.dataset.low !== undefined) return [cell.dataset.low, cell.dataset.high];
      return cell.dataset.value ?? quoted(text(cell));
    }),
  );
  return lines.map((line) => `${line.join(",")}\n`).join("");
}

/** Text that a spreadsheet would take for a formula gets a ' before it. */
function quoted(value) {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
