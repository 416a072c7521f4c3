// The column of a task, or of a further metric of one.

import { t } from "../words.js";
import { element } from "./element.js";
import { number, percent, shown } from "./numbers.js";

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./data.js").Table} Table */
/** @typedef {import("./data.js").Note} Note */

/** @type {Record<string, string>} */
const STATES = {
  running: t("running"),
  failed: t("failed"),
  empty: t("nothing scored"),
};

/** @type {Record<string, string>} */
const ASPECTS = {
  calibration: t("calibration"),
  robustness: t("robustness"),
  order: t("order of options"),
  fairness: t("fairness"),
};

/** @param {Table} table @param {number} index @returns {Column} */
export function task(table, index) {
  const about = table.tasks[index];
  const { half, best, notes } = table.content.cells[index];
  const numbers = table.cellNumbers(index);
  const first = new Set(best);
  const written = about.share ? percent : number;
  const scale = about.share ? 10 : 1;
  const halfOf = (/** @type {number} */ row) =>
    half === null || half[row] === null ? null : /** @type {number} */ (half[row]) / scale;
  const text = (/** @type {number} */ row) => {
    const note = notes[row];
    if (note && note.state !== "ok") return STATES[note.state];
    return shown(numbers[row], halfOf(row), written) + (note && (note.errors || note.skipped) ? "*" : "");
  };
  return {
    numeric: true,
    key: about.aspect ? "" : about.slug,
    kind: "task",
    name: about.name,
    small: `${about.aspect ? ASPECTS[about.aspect] : about.metric}${about.share ? " %" : ""} ${about.arrow}`,
    up: about.up,
    text,
    draw(cell, row) {
      const reason = reasonOf(numbers[row], notes[row]);
      cell.className = `number task h${about.counts ? shade(numbers[row], about.chance ?? 0) : 0}`;
      if (first.has(row)) cell.classList.add("best");
      cell.title = reason;
      if (Number.isNaN(numbers[row])) cell.replaceChildren(element("span", "state", text(row)));
      else cell.textContent = text(row);
    },
  };
}

/** Why there is no number, or what of it is not scored. @param {number} value @param {Note} note */
function reasonOf(value, note) {
  if (!note) return Number.isNaN(value) ? t("not run") : "";
  if (note.state !== "ok") return note.reason || STATES[note.state];
  return t("{errors} answers in error and {skipped} skipped are not scored", {
    errors: note.errors,
    skipped: note.skipped,
  });
}

/** How dark a cell is: 0 at chance, 7 where it is perfect. @param {number} value @param {number} chance */
function shade(value, chance) {
  const normalised = (value / 100 - chance) / (1 - chance);
  return Number.isNaN(normalised) ? 0 : Math.round(Math.min(Math.max(normalised, 0), 1) * 7);
}

