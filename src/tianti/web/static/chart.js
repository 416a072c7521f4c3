// Every figure.chart is drawn from the table that stands in it; without this script there is the table.
//
// ECharts is loaded when the first chart comes into view. Colours are the page's tokens, and follow its theme.
import { csv, read } from "./chart/table.js";
import { optionOf } from "./chart/option.js";

/** Charts that are drawn: redraws them when the theme changes. @type {Set<() => void>} */
const drawn = new Set();

/** @param {HTMLElement} figure */
async function draw(figure) {
  const { init } = await import("./vendor/echarts.js");
  const canvas = figure.querySelector(".canvas");
  // What was closed again while the library came is drawn when it is opened.
  if (!canvas.clientWidth) return seen.observe(figure);
  const table = read(figure);
  const size = () => ({ width: canvas.clientWidth, height: heightOf(table, canvas.clientWidth) });
  const chart = init(canvas, null, { renderer: "svg", ...size() });
  const render = () => chart.setOption(optionOf(table, tokens(), canvas.clientWidth), true);
  render();
  drawn.add(render);
  let width = canvas.clientWidth;
  new ResizeObserver(() => {
    if (canvas.clientWidth === width || !canvas.clientWidth) return;
    width = canvas.clientWidth;
    chart.resize(size());
    render();
  }).observe(canvas);
  const button = figure.querySelector("[data-save=svg]");
  // From the document: what ECharts writes as text has the quotes of font names in it, and is no XML.
  const picture = () => new XMLSerializer().serializeToString(canvas.querySelector("svg"));
  button.addEventListener("click", () => save(figure, picture(), "svg", "image/svg+xml"));
  button.hidden = false;
  figure.dataset.drawn = "";
}

function heightOf(table, width) {
  return table.kind === "intervals" ? 84 + 30 * table.rows.length : width < 520 ? 300 : 360;
}

/** The page's colours and font as they are now. */
function tokens() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: value("raised"),
    ink: value("ink"),
    soft: value("soft"),
    line: value("line"),
    strong: value("strong-line"),
    series: [1, 2, 3, 4, 5, 6, 7].map((number) => value(`series-${number}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
}

function save(figure, text, ending, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `${figure.id}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function prepare(figure) {
  figure.querySelector(".canvas").hidden = false;
  figure.querySelector(".save").hidden = false;
  figure.querySelector("details").open = false;
  figure
    .querySelector("[data-save=csv]")
    .addEventListener("click", () => save(figure, csv(figure.querySelector("table")), "csv", "text/csv"));
}

function recolour() {
  for (const render of drawn) render();
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "300px" },
);
for (const figure of document.querySelectorAll("figure.chart")) {
  prepare(figure);
  seen.observe(figure);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
