// Files of a board cut to what a view shows: rows in its order, columns in its order, nothing written anew but how much of
// the whole it is. What tianti.board writes of the same view is the same.

import { standard } from "./columns.js";
import { MISSING } from "./numbers.js";

/**
 * @typedef {object} View
 * @property {import("./data.js").Table} table
 * @property {number[]} rows the entries, in the order in which they are shown
 * @property {string[]} keys what is asked of them: tasks and quantities
 * @property {string} address the words of its address; empty where all is shown
 * @property {string} files where the files of the board lie, without their endings
 * @property {string} snapshot of the board
 * @property {string} title
 * @property {string} level
 */

/** A text that a spreadsheet would run as a formula has a ' before it. @param {string} text */
export function unescaped(text) {
  return text.startsWith("'") ? text.slice(1) : text;
}

/** @typedef {{text: string, fields: string[]}} Line */

/** The lines of a CSV. @param {string} text @returns {Generator<Line>} */
export function* records(text) {
  const field = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n)/y;
  let fields = [];
  let start = 0;
  for (let found = field.exec(text); found; found = field.exec(text)) {
    fields.push(found[1] === undefined ? found[2] : found[1].replaceAll('""', '"'));
    if (found[3] === ",") continue;
    yield { text: text.slice(start, field.lastIndex), fields };
    fields = [];
    start = field.lastIndex;
  }
}

/** @param {string} text @param {View} view */
export function partOfCsv(text, view) {
  const { table, rows } = view;
  const tasks = tasksOf(view);
  const key = (/** @type {string} */ model, /** @type {string} */ adaptation) => JSON.stringify([model, adaptation]);
  const wanted = new Map(rows.map((row) => [key(table.model(row).name, table.word("adaptation", row)), row]));
  const lines = records(text);
  const heading = /** @type {Line} */ (lines.next().value);
  const place = (/** @type {string} */ name) => heading.fields.indexOf(name);
  const [model, adaptation, task, last] = ["model", "adaptation", "task", "runs"].map(place);
  /** Of each row those of the tasks that are shown, or else one without a task. @type {Map<number, string[]>} */
  const parts = new Map();
  /** @type {Map<number, string>} */
  const bare = new Map();
  for (const { text, fields } of lines) {
    const row = wanted.get(key(unescaped(fields[model]), unescaped(fields[adaptation])));
    if (row === undefined) continue;
    if (!parts.has(row)) parts.set(row, []);
    if (tasks.has(unescaped(fields[task]))) parts.get(row)?.push(text);
    else if (!bare.has(row)) bare.set(row, lineOf(fields.map((each, at) => (at < task || at > last ? each : ""))));
  }
  const of = (/** @type {number} */ row) => (parts.get(row)?.length ? parts.get(row) : bare.get(row)) ?? [];
  return [heading.text, ...rows.flatMap(of)].join("");
}

/** @param {string[]} fields */
function lineOf(fields) {
  const quoted = (/** @type {string} */ field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  return `${fields.map(quoted).join(",")}\r\n`;
}

/** @param {string} text @param {View} view */
export function partOfJson(text, view) {
  const { snapshot, ...content } = JSON.parse(text);
  const tasks = tasksOf(view);
  const columns = new Map(content.columns.map((/** @type {{name: string}} */ each) => [each.name, each]));
  const aspects = content.aspects.filter((/** @type {{task: string}} */ each) => tasks.has(each.task));
  const further = new Set(aspects.map((/** @type {{name: string}} */ each) => each.name));
  const entries = view.rows.map((row) => {
    const entry = content.entries[row];
    return { ...entry, cells: only(entry.cells, tasks), aspects: only(entry.aspects, further) };
  });
  const part = { ...content, columns: [...tasks].map((name) => columns.get(name)), entries, aspects };
  const about = { view: view.address, whole: snapshot, of_entries: view.table.count };
  return JSON.stringify({ ...part, ...about }, null, 1);
}

/** @param {string} text @param {View} view */
export function partOfMarkdown(text, view) {
  const [heading, ruler, ...lines] = text.split("\n");
  const places = placesOf(view);
  const cut = (/** @type {string} */ line, /** @type {(key: string) => string} */ unknown) =>
    `| ${picked(line.slice(2, -2).split(" | "), places, unknown).join(" | ")} |`;
  const [empty, board, , ...notes] = lines.slice(view.table.count);
  // Of all that Markdown takes for markup an address has these, for the rest is quoted in it.
  const amount = amountOf(view).replace(/[*_~&]|(?<=[wW]{3})\./g, "\\$&");
  return [
    cut(heading, headingOf),
    cut(ruler, () => "--:"),
    ...view.rows.map((row) => cut(lines[row], () => MISSING)),
    ...[empty, board, amount, ...notes],
  ].join("\n");
}

/** @param {string} text @param {View} view */
export function partOfLatex(text, view) {
  const lines = text.split("\n");
  const places = placesOf(view);
  const cut = (/** @type {string} */ line, /** @type {(key: string) => string} */ unknown) =>
    `${picked(line.slice(0, -3).split(" & "), places, unknown).join(" & ")} \\\\`;
  const first = lines.findIndex((line) => !line.startsWith("%"));
  const [board, , ...notes] = lines.slice(0, first);
  const [begin, toprule, heading, midrule, ...rest] = lines.slice(first);
  const form = begin.replace(/[lr]+(?=\}$)/, (letters) => picked([...letters], places, () => "r").join(""));
  return [
    ...[board, `% ${amountOf(view)}`, ...notes, form, toprule, cut(heading, headingOf), midrule],
    ...view.rows.map((row) => cut(rest[row], () => "\\textendash{}")),
    ...rest.slice(view.table.count),
  ].join("\n");
}

/** The names of the tasks that are shown, in their order. @param {View} view */
function tasksOf({ table, keys }) {
  const places = keys.map((key) => table.indexOf.get(key)).filter((place) => place !== undefined);
  return new Set(places.map((place) => table.tasks[place].name));
}

/** @param {Record<string, unknown>} cells @param {Set<string>} names */
function only(cells, names) {
  return Object.fromEntries(Object.entries(cells).filter(([name]) => names.has(name)));
}

/**
 * Where the columns of the view stand in the table of the whole board; the key of one that stands not in it, as nothing is
 * known of it.
 * @param {View} view @returns {(number | string)[]}
 */
function placesOf({ table, keys }) {
  const names = table.content.words.provenance.length > 1 ? 4 : 3;
  const asked = standard(table);
  const place = (/** @type {string} */ key) => (asked.includes(key) ? names + asked.indexOf(key) : key);
  return [...Array(names).keys(), ...keys.map(place)];
}

/** @param {string[]} cells @param {(number | string)[]} places @param {(key: string) => string} unknown */
function picked(cells, places, unknown) {
  return places.map((place) => (typeof place === "number" ? cells[place] : unknown(place)));
}

/** Of a column that the whole table does not have. @param {string} key */
function headingOf(key) {
  return key === "energy" ? "energy Wh" : key;
}

/** How much of the board it is. @param {View} view */
function amountOf({ rows, table, address }) {
  const [part, whole] = [rows.length, table.count].map((count) => count.toLocaleString("en-US"));
  return `${part} of ${whole} entries (${address});`;
}
