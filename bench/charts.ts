/**
 * Charts: the benchmarks' figures as SVG, drawn by echarts on the server side: no browser, no fonts but the viewer's.
 */
import * as echarts from 'echarts'

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface LineChart {
  readonly title: string
  readonly xName: string
  readonly yName: string
  readonly lines: readonly Line[]
  /** Where the x axis changes its meaning: a label at each begin. */
  readonly sections?: readonly { readonly x: number; readonly label: string }[]
  readonly isLog?: boolean
}

const WIDTH = 860
const HEIGHT = 320
const COLORS = ['#b4532a', '#2a6f97', '#6a994e', '#7b2cbf', '#8d99ae', '#e09f3e']

export interface BarChart {
  readonly title: string
  readonly yName: string
  readonly categories: readonly string[]
  readonly bars: readonly { readonly name: string; readonly values: readonly (number | undefined)[] }[]
  readonly isLog?: boolean
}

/** @returns an SVG document */
export function lineChart({ title, xName, yName, lines, sections = [], isLog = false }: LineChart): string {
  const mark = {
    silent: true,
    symbol: 'none',
    lineStyle: { color: '#adb5bd', type: 'dashed' },
    data: sections.map(({ x, label }) => ({ xAxis: x, label: { formatter: label, position: 'insideEndTop' } })),
  }
  return render({
    ...frame(title),
    xAxis: { type: 'value', name: xName, nameLocation: 'middle', nameGap: 26 },
    yAxis: { type: isLog ? 'log' : 'value', name: yName },
    series: lines.map(({ name, points }, i) => ({
      name,
      type: 'line',
      symbolSize: 4,
      data: points,
      ...(i === 0 ? { markLine: mark } : {}),
    })),
  })
}

/** @returns an SVG document */
export function barChart({ title, yName, categories, bars, isLog = false }: BarChart): string {
  return render({
    ...frame(title),
    xAxis: { type: 'category', data: categories },
    yAxis: { type: isLog ? 'log' : 'value', name: yName },
    series: bars.map(({ name, values }) => ({ name, type: 'bar', data: values })),
  })
}

function frame(title: string): Record<string, unknown> {
  return {
    animation: false,
    backgroundColor: '#ffffff',
    color: COLORS,
    title: { text: title, left: 'center', textStyle: { fontSize: 14 } },
    legend: { top: 26 },
    grid: { left: 64, right: 32, top: 64, bottom: 44 },
  }
}

function render(option: Record<string, unknown>): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT })
  chart.setOption(option)
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}
