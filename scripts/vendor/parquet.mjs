// Writing Parquet files of a board's view.
export { parquetWriteBuffer } from "hyparquet-writer";
