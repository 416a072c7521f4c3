// A mean and its interval on the axis that all means share, as tianti.web.draw draws them.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 96;

/**
 * @param {[number, number]} axis its ends, in the unit of the numbers; 0 is drawn as a line
 * @param {number | null} low
 * @param {number} value
 * @param {number | null} high
 */
export function whisker(axis, low, value, high) {
  const at = place(axis, value);
  const [left, right] = [low === null ? at : place(axis, low), high === null ? at : place(axis, high)];
  const origin = place(axis, 0);
  const drawn = svg("svg", {
    class: "whisker",
    viewBox: "0 0 96 14",
    width: WIDTH,
    height: 14,
    "aria-hidden": "true",
    focusable: "false",
  });
  drawn.append(line("origin", origin, 0, origin, 14), line("range", left, 7, right, 7));
  if (right > left) drawn.append(line("end", left, 4, left, 10), line("end", right, 4, right, 10));
  drawn.append(svg("circle", { class: "dot", cx: at, cy: 7, r: 3 }));
  return drawn;
}

/** Where a value lies, a little inside both ends. @param {[number, number]} axis @param {number} value */
function place([low, high], value) {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return Math.round(10 * (2 + (WIDTH - 4) * Math.min(Math.max(share, 0), 1))) / 10;
}

/** @param {string} kind @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function line(kind, x1, y1, x2, y2) {
  return svg("line", { class: kind, x1, y1, x2, y2 });
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
