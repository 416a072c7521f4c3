// From a table to what ECharts draws: lines over a quantity, points against a cost, or values with their intervals.

const SHAPES = ["circle", "rect", "triangle", "diamond", "path://M0,0L10,0L5,10Z", "roundRect", "path://M4,0h2v4h4v2h-4v4h-2v-4h-4v-2h4z"];
const SIGNS = "●■▲◆▼▮✚";
const DASHES = ["solid", "dashed", "dotted"];

/**
 * @param {import("./table.js").Table} table
 * @param {object} tokens colours and font of the page
 * @param {number} width in pixels
 */
export function optionOf(table, tokens, width) {
  const option = { lines: ofLines, points: ofPoints, intervals: ofIntervals }[table.kind](table, tokens, width);
  return {
    animation: false,
    backgroundColor: tokens.ground,
    textStyle: { fontFamily: tokens.font, color: tokens.ink, fontSize: 12 },
    // Names come from data: as rich text they are text, as HTML they would be a page.
    tooltip: {
      trigger: "item",
      renderMode: "richText",
      confine: true,
      backgroundColor: tokens.ground,
      borderColor: tokens.strong,
      textStyle: { color: tokens.ink, fontFamily: tokens.font, fontSize: 12, fontWeight: "normal" },
    },
    ...option,
  };
}

function ofLines(table, tokens, width) {
  const longest = Math.max(...table.series.map((name) => name.length));
  const room = Math.min(Math.max(90, 7 * longest + 40), width / 3);
  const zero = zeroPlace(table);
  const series = table.series.flatMap((name, index) => {
    const rows = table.rows.filter((row) => row.series === name).sort((a, b) => a.x - b.x);
    const own = look(index, tokens);
    const points = rows.map((row) => [row.x, row.y, row.low, row.high]);
    return [
      whiskers(points, own.color, 1),
      {
        type: "line",
        name,
        data: points,
        // Many points are a curve: there the dashes tell them apart.
        ...marker(own, tokens, rows.length > 12 ? 0 : 8),
        lineStyle: { color: own.color, width: 2, type: rows.length > 12 ? DASHES[index % DASHES.length] : "solid" },
        endLabel: {
          show: true,
          formatter: () => `{sign|${own.sign}} ${fitted(name, room - 32)}`,
          rich: { sign: { color: own.color } },
          color: tokens.ink,
          width: room - 16,
          overflow: "truncate",
        },
        labelLayout: () => ({ x: width - room + 12, moveOverlap: "shiftY" }),
        tooltip: { formatter: ({ value }) => said(table, name, value) },
      },
    ];
  });
  return { grid: grid({ right: room }), xAxis: quantity(table, tokens, zero, width), yAxis: score(table, tokens), series };
}

function ofPoints(table, tokens, width) {
  const zero = zeroPlace(table);
  const place = (row) => [table.xLog && row.x <= 0 ? zero : row.x, row.y, row.low, row.high];
  // A front rises to the right, so the room is to the left of it; but for the first one, which may lie at the edge.
  const align = (row) => (row === front[0] ? "left" : "right");
  const named = (rows) => rows.map((row) => ({ value: place(row), name: row.label, row, label: { align: align(row) } }));
  const front = table.rows.filter((row) => row.mark);
  const label = {
    show: true,
    position: "top",
    distance: 8,
    formatter: ({ name }) => name,
    color: tokens.ink,
    // Over marks and lines it is read all the same.
    textBorderColor: tokens.ground,
    textBorderWidth: 2,
    width: width < 520 ? 110 : Math.min(300, width * 0.4),
    overflow: "truncate",
  };
  const series = table.series.flatMap((name, index) => {
    const rows = table.rows.filter((row) => row.series === name);
    const own = look(index, tokens);
    const tooltip = {
      formatter: ({ data }) => said(table, data.name, [data.row.x, data.row.y, data.row.low, data.row.high]),
    };
    const points = (kept, size, more) => ({
      type: "scatter", name, data: named(kept), ...marker(own, tokens, size), tooltip, labelLayout: { hideOverlap: true }, ...more,
    });
    return [
      whiskers(rows.filter((row) => row.mark).map(place), own.color, 1),
      points(rows.filter((row) => !row.mark), 7, { itemStyle: { color: own.color, opacity: 0.7 } }),
      points(rows.filter((row) => row.mark), 12, { label, z: 4 }),
    ];
  });
  const line = {
    type: "line", data: front.map(place), step: "end", symbol: "none", silent: true, z: 1,
    lineStyle: { color: tokens.soft, width: 1.5, type: "dashed" },
  };
  const key = keyOf(table, tokens, width);
  return {
    legend: key.legend,
    grid: grid({ right: 24, top: key.height + 34 }),
    xAxis: quantity(table, tokens, zero, width),
    yAxis: score(table, tokens),
    series: [line, ...series],
  };
}

function ofIntervals(table, tokens, width) {
  const labels = table.rows.map((row) => row.label);
  const own = look(0, tokens);
  const room = Math.min(260, width * 0.42);
  return {
    grid: grid({ left: 8, right: 24, top: 12 }),
    yAxis: {
      type: "category",
      data: labels,
      inverse: true,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: tokens.ink, interval: 0, width: room, overflow: "truncate", formatter: (name) => fitted(name, room) },
    },
    xAxis: { ...axis(tokens), type: "value", scale: true, name: table.xName, nameLocation: "middle", nameGap: 30 },
    series: [
      whiskers(table.rows.map((row, index) => [row.low, row.high, index]), own.color, 0),
      {
        type: "scatter",
        data: table.rows.map((row, index) => ({ value: [row.x, index], name: row.label, row })),
        ...marker(own, tokens, 10),
        tooltip: { formatter: ({ data }) => [data.name, valued(table.xName, data.row.x, data.row.low, data.row.high)].join("\n") },
        markLine: {
          silent: true, symbol: "none", animation: false, label: { show: false },
          lineStyle: { color: tokens.soft, type: "dashed", width: 1 }, data: [{ xAxis: 0 }],
        },
      },
    ],
  };
}

/**
 * A name that is wider than so many pixels loses its middle: adaptations often begin alike.
 * @param {string} name @param {number} room
 */
export function fitted(name, room) {
  const signs = Array.from(name);
  const most = Math.max(3, Math.floor(room / 7));
  if (signs.length <= most) return name;
  const head = Math.floor(most / 3);
  return [...signs.slice(0, head), "…", ...signs.slice(head + 1 - most)].join("");
}

/** What each colour and shape is, and how high that stands. */
function keyOf(table, tokens, width) {
  const taken = table.series.reduce((sum, name) => sum + 7 * name.length + 36, 0);
  const legend = {
    left: 0,
    top: 0,
    selectedMode: false,
    itemWidth: 10,
    itemHeight: 10,
    textStyle: { color: tokens.soft },
    data: table.series.map((name, index) => {
      const own = look(index, tokens);
      return { name, icon: own.symbol, itemStyle: { color: own.color, borderColor: tokens.ink, borderWidth: 0.8 } };
    }),
  };
  return { legend, height: 20 * Math.ceil(taken / width) };
}

/** Lines from low to high with short ends; `upright` 1 along y, 0 along x (then [low, high, row]). */
function whiskers(rows, color, upright) {
  const known = rows.filter((row) => (upright ? [row[2], row[3]] : [row[0], row[1]]).every(Number.isFinite));
  const at = upright ? (api) => [[api.value(0), api.value(2)], [api.value(0), api.value(3)]] : (api) => [[api.value(0), api.value(2)], [api.value(1), api.value(2)]];
  return {
    type: "custom",
    data: known,
    silent: true,
    // The axes have to hold the ends as well.
    encode: upright ? { x: 0, y: [2, 3] } : { x: [0, 1], y: 2 },
    renderItem: (_, api) => {
      const [from, to] = at(api).map((point) => api.coord(point));
      const stroke = { stroke: color, lineWidth: 1.5, opacity: 0.8 };
      const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: stroke });
      const end = ([x, y]) => (upright ? line(x - 4, y, x + 4, y) : line(x, y - 4, x, y + 4));
      return { type: "group", children: [line(...from, ...to), end(from), end(to)] };
    },
  };
}

/** Colour and shape of a series; more than seven have other pairs of the two. */
function look(index, tokens) {
  const round = Math.floor(index / tokens.series.length);
  const shape = (index + round) % SHAPES.length;
  return { color: tokens.series[index % tokens.series.length], symbol: SHAPES[shape], sign: SIGNS[shape] };
}

function marker(own, tokens, size) {
  return {
    symbol: own.symbol,
    symbolSize: size,
    showSymbol: size > 0,
    itemStyle: { color: own.color, borderColor: tokens.ink, borderWidth: 0.8, opacity: 1 },
    emphasis: { disabled: true },
  };
}

function grid(sides) {
  return { left: 34, right: 24, top: 20, bottom: 34, containLabel: true, ...sides };
}

function axis(tokens) {
  return {
    axisLine: { lineStyle: { color: tokens.strong } },
    axisLabel: { color: tokens.soft, hideOverlap: true, formatter: short },
    splitLine: { lineStyle: { color: tokens.line } },
    nameTextStyle: { color: tokens.soft },
  };
}

function score(table, tokens) {
  return { ...axis(tokens), type: "value", scale: true, name: table.yName, nameLocation: "middle", nameGap: 40 };
}

function quantity(table, tokens, zero, width) {
  const shown = axis(tokens);
  const formatter = (value) => (value === zero ? "0" : short(value));
  return {
    ...shown,
    type: table.xLog ? "log" : "value",
    min: zero ?? undefined,
    minInterval: 1,
    splitNumber: width < 520 ? 3 : 6,
    axisLabel: { ...shown.axisLabel, formatter },
    name: table.xSaid ? `${table.xName} (${table.xSaid})` : table.xName,
    nameLocation: "middle",
    nameGap: 30,
  };
}

/** Where 0 stands on a logarithmic axis: a tenth of the power of ten below the smallest number; null where none is 0. */
function zeroPlace(table) {
  if (!table.xLog || table.rows.every((row) => row.x > 0)) return null;
  const least = Math.min(...table.rows.map((row) => row.x).filter((x) => x > 0));
  return Number.isFinite(least) ? 10 ** (Math.floor(Math.log10(least)) - 1) : 0.1;
}

const compact = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 2 });
const exact = new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 4 });

function short(value) {
  return Math.abs(value) >= 10_000 ? compact.format(value) : exact.format(value);
}

function said(table, name, [x, y, low, high]) {
  return [name, `${table.xName}: ${short(x)}`, valued(table.yName, y, low, high)].join("\n");
}

function valued(name, value, low, high) {
  const range = Number.isFinite(low) && Number.isFinite(high) ? ` (${exact.format(low)} … ${exact.format(high)})` : "";
  return `${name}: ${exact.format(value)}${range}`;
}
