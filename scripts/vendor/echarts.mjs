// What the charts of the site draw with: lines, points, whiskers, and SVG. No canvas, no HTML tooltips.
export { init, use } from "echarts/core";
import { use } from "echarts/core";
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendPlainComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";

use([
  CustomChart, LineChart, ScatterChart,
  GridComponent, LegendPlainComponent, MarkLineComponent, TooltipComponent,
  LabelLayout, SVGRenderer,
]);
