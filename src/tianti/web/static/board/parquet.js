// The view as Parquet. Loaded when somebody asks for it: the writer is larger than all of the board.

import { parquetWriteBuffer } from "../vendor/parquet.js";
import { valuesOf } from "./exports.js";

/** @param {import("./exports.js").View} view @returns {ArrayBuffer} */
export function parquet(view) {
  const columnData = valuesOf(view).map(({ name, values }) => ({
    name,
    data: values,
    type: values.some((value) => typeof value === "string") ? "STRING" : "DOUBLE",
    nullable: true,
  }));
  const kvMetadata = Object.entries(view.about).map(([key, value]) => ({ key, value }));
  return parquetWriteBuffer({ columnData, kvMetadata });
}
