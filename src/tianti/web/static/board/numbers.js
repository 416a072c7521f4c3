// Numbers as text, written as tianti.board.show writes them.

export const MISSING = "–";

/** Per cent with one decimal. @param {number} value */
export function percent(value) {
  return value.toFixed(1);
}

/** Three significant digits, for metrics that are no shares. @param {number} value rounded to them already */
export function number(value) {
  const size = Math.abs(value);
  if (size >= 1000) return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
  if (size >= 1e-4 || size === 0) return String(value);
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** 8030261248 → 8.03B, three digits. @param {number} value */
export function compact(value) {
  if (value < 1000) return String(value);
  const power = Math.min(Math.floor((String(Math.round(value)).length - 1) / 3), 4);
  const scaled = value / 1000 ** power;
  const decimals = scaled < 10 ? 2 : scaled < 100 ? 1 : 0;
  return (Math.floor(scaled * 10 ** decimals + 0.5) / 10 ** decimals).toFixed(decimals) + " KMBT"[power];
}

/** 1 → A, 26 → Z, 27 → AA. @param {number} band */
export function letter(band) {
  let text = "";
  for (let rest = band; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    text = String.fromCharCode(65 + ((rest - 1) % 26)) + text;
  }
  return text;
}

/**
 * A number ± half its interval.
 * @param {number} value
 * @param {number | null} half
 * @param {(value: number) => string} written
 */
export function shown(value, half, written) {
  if (Number.isNaN(value)) return MISSING;
  return half === null ? written(value) : `${written(value)} ±${written(half)}`;
}
