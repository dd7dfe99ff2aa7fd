// Draws the check-ins as lines. The library is loaded when there is something to draw, from this server.

import { getInstanceByDom, init } from "../lib/echarts.js";

const colours = { light: ["#476353", "#a0674b", "#4f6d8f"], dark: ["#a3c2b0", "#d9a688", "#9db8d6"] };
const styleOf = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function draw(element, series, dark) {
  const [ink, line] = [styleOf("--soft"), styleOf("--line")];
  const chart = getInstanceByDom(element) ?? init(element, null, { renderer: "canvas" });
  chart.setOption({
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    color: dark ? colours.dark : colours.light,
    textStyle: { color: ink, fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 36, right: 16, top: 16, bottom: 64 },
    legend: { bottom: 0, textStyle: { color: ink }, icon: "circle", itemWidth: 9, itemHeight: 9 },

    // A rich-text tooltip is drawn; one of HTML would need inline styles, which the page refuses.
    tooltip: { trigger: "axis", renderMode: "richText", confine: true },
    xAxis: { type: "time", axisLine: { lineStyle: { color: line } }, axisLabel: { color: ink, hideOverlap: true }, splitLine: { show: false } },
    yAxis: { type: "value", min: 0, max: Math.max(...series.map(s => s.most)), axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } } },
    series: series.map(s => ({ name: s.name, type: "line", data: s.points, symbol: "circle", symbolSize: 8, lineStyle: { width: 2 } })),
  });
  new ResizeObserver(() => chart.resize()).observe(element);
}
