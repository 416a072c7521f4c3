// Sorting of the tables that a page holds whole. Without this script they are plain tables.
"use strict";

const table = document.getElementById("board");

/** The value that a column sorts by; empty ones are missing. */
function valueOf(row, index, kind) {
  const cell = row.cells[index];
  const text = cell.dataset.value ?? cell.textContent.trim();
  return kind === "number" ? (text === "" ? NaN : Number(text)) : text.toLowerCase();
}

function compare(a, b, direction) {
  if (typeof a === "number") {
    // What is missing comes last in either direction.
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return direction * (a - b);
  }
  return direction * a.localeCompare(b, document.documentElement.lang, { numeric: true });
}

function sortBy(header) {
  const index = header.cellIndex;
  const kind = header.dataset.sort;
  const first = header.dataset.best === "high" ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = header.getAttribute("aria-sort") === first ? other : first;
  for (const each of header.parentElement.cells) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  // Where 0 is best the distance from it counts.
  const size = header.dataset.best === "near" ? Math.abs : (value) => value;
  const direction = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = Array.from(body.rows, (row) => [size(valueOf(row, index, kind)), row]);
  keyed.sort((a, b) => compare(a[0], b[0], direction));
  body.append(...keyed.map((pair) => pair[1]));
}

for (const header of table.tHead.rows[0].cells) {
  if (!header.dataset.sort) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  header.append(button);
  button.addEventListener("click", () => sortBy(header));
}
