// The view as a file: the file that the API has of the board and `tianti board --output` writes, cut to what is shown, so
// that columns, numbers and what is said about them are written in one place, by tianti.board.

import { t } from "../words.js";
import { partOfCsv, partOfJson, partOfLatex, partOfMarkdown } from "./parts.js";

/** @typedef {import("./parts.js").View} View */

/**
 * `of`: the ending of the file that it is cut from.
 * @type {Record<string, {type: string, of: string, cut: (text: string, view: View) => BlobPart | Promise<BlobPart>}>}
 */
const FORMATS = {
  csv: { type: "text/csv", of: "csv", cut: partOfCsv },
  json: { type: "application/json", of: "json", cut: partOfJson },
  md: { type: "text/markdown", of: "md", cut: partOfMarkdown },
  tex: { type: "application/x-tex", of: "tex", cut: partOfLatex },
  parquet: {
    type: "application/vnd.apache.parquet",
    of: "csv",
    cut: async (text, view) => (await import("./parquet.js")).parquet(partOfCsv(text, view), view),
  },
};

/** Save a view as a file. @param {string} format @param {string} name @param {View} view */
export async function download(format, name, view) {
  const { type, of, cut } = FORMATS[format];
  const part = view.address !== "";
  const response = await fetch(`${view.files}.${part ? of : format}`);
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  const content = await response.arrayBuffer();
  // Every file bears the id of its board, also one that is no text.
  const text = new TextDecoder(part || format !== "parquet" ? "utf-8" : "latin1").decode(content);
  if (!text.includes(view.snapshot)) throw new Error(t("the board has changed since this page was opened"));
  save(name, new Blob([part ? await cut(text, view) : content], { type }));
}

/** @param {string} name @param {Blob} content */
function save(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
