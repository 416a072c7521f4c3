// The view as a file: the entries and columns that are shown, in their order, with the numbers as they are shown.

/** @typedef {import("./columns.js").Column} Column */

/**
 * @typedef {object} View
 * @property {Column[]} columns
 * @property {number[]} entries
 * @property {Record<string, string>} about board, snapshot and address
 */

/** @type {Record<string, {type: string, write: (view: View) => BlobPart | Promise<BlobPart>}>} */
const FORMATS = {
  csv: { type: "text/csv", write: csv },
  json: { type: "application/json", write: json },
  md: { type: "text/markdown", write: markdown },
  tex: { type: "application/x-tex", write: latex },
  parquet: {
    type: "application/vnd.apache.parquet",
    write: async (view) => (await import("./parquet.js")).parquet(view),
  },
};

/** Save a view as a file. @param {string} format @param {string} name @param {View} view */
export async function download(format, name, view) {
  const { type, write } = FORMATS[format];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([await write(view)], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Every column of a file by its name, as values: text, numbers, null where there is none. @param {View} view */
export function valuesOf({ columns, entries }) {
  const fields = columns.flatMap((column) => column.fields);
  return fields.map(({ name, value }) => ({ name, values: entries.map(value) }));
}

/** @param {View} view */
function csv(view) {
  const found = valuesOf(view);
  const lines = [found.map((each) => each.name), ...view.entries.map((_, at) => found.map((each) => each.values[at]))];
  return lines.map((line) => line.map(csvCell).join(",") + "\n").join("");
}

/** A text that a spreadsheet would run as a formula gets a ' before it. @param {string | number | null} value */
function csvCell(value) {
  if (typeof value !== "string") return value === null ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {View} view */
function json(view) {
  const found = valuesOf(view);
  const rows = view.entries.map((_, at) => found.map((each) => each.values[at]));
  return JSON.stringify({ ...view.about, columns: found.map((each) => each.name), rows }, null, 1);
}

/** @param {View} view */
function markdown({ columns, entries }) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  return [
    line(columns.map((column) => markdownText(headingOf(column)))),
    line(columns.map((column) => (column.numeric ? "---:" : "---"))),
    ...entries.map((entry) => line(columns.map((column) => markdownText(column.text(entry))))),
  ].join("");
}

/** @param {string} text */
function markdownText(text) {
  return text.replace(/[\\`*_[\]<>|#~]/g, "\\$&").replace(/\s+/g, " ");
}

/** @param {View} view */
function latex({ columns, entries }) {
  const line = (/** @type {string[]} */ cells) => `${cells.map(latexText).join(" & ")} \\\\\n`;
  return [
    `\\begin{tabular}{${columns.map((column) => (column.numeric ? "r" : "l")).join("")}}\n\\hline\n`,
    line(columns.map(headingOf)),
    "\\hline\n",
    ...entries.map((entry) => line(columns.map((column) => column.text(entry)))),
    "\\hline\n\\end{tabular}\n",
  ].join("");
}

/** @type {Record<string, string>} */
const LATEX = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  "±": "$\\pm$",
  "–": "--",
  "↑": "$\\uparrow$",
  "↓": "$\\downarrow$",
};

/** @param {string} text */
function latexText(text) {
  return text
    .replace(/[\\~^<>|±–↑↓&%$#_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`)
    .replace(/\s+/g, " ");
}

/** @param {Column} column */
function headingOf(column) {
  return column.small ? `${column.name} ${column.small}` : column.name;
}
