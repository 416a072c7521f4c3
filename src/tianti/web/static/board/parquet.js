// A CSV of tianti.board as Parquet. Loaded when somebody asks for it: the writer is larger than all of the board.

import { parquetWriteBuffer } from "../vendor/parquet.js";
import { records, unescaped } from "./parts.js";

/** What is no text, as tianti.board.export has it. @type {Record<string, "INT32" | "INT64" | "DOUBLE">} */
const TYPES = {
  ...Object.fromEntries(["rank", "rank_low", "rank_high", "seeds", "task_rank"].map((name) => [name, "INT32"])),
  ...Object.fromEntries(
    ["n", "errors", "skipped", "parameters", "trainable_parameters", "training_examples", "training_tokens",
      "evaluation_tokens"].map((name) => [name, "INT64"]),
  ),
  ...Object.fromEntries(
    ["mean", "mean_low", "mean_high", "value", "low", "high", "normalised", "training_seconds", "evaluation_seconds",
      "watt_hours"].map((name) => [name, "DOUBLE"]),
  ),
};

/** @type {Record<string, (text: string) => string | number | bigint | null>} */
const READ = {
  STRING: unescaped,
  INT32: (text) => (text ? Number(text) : null),
  INT64: (text) => (text ? BigInt(text) : null),
  DOUBLE: (text) => (text ? Number(text) : null),
};

/** @param {string} csv @param {import("./parts.js").View} view @returns {ArrayBuffer} */
export function parquet(csv, { title, snapshot, level, address }) {
  const [heading, ...lines] = [...records(csv)].map((line) => line.fields);
  const columnData = heading.map((name, at) => {
    const type = TYPES[name] ?? "STRING";
    return { name, data: lines.map((fields) => READ[type](fields[at])), type, nullable: true };
  });
  const about = { title, snapshot, level, view: address };
  const kvMetadata = Object.entries(about).map(([key, value]) => ({ key, value }));
  return parquetWriteBuffer({ columnData, kvMetadata });
}
