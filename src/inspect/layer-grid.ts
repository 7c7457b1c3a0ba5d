/**
 * LayerGrid: rows of one layer, aligned: a label, a bar, cells. When the width is short the bar shrinks first, then goes,
 * then the cells at the right end go one by one.
 */
import { columnsOf, padEnd, padStart, type Span, span } from './span.ts'

export interface GridRow {
  readonly label: string
  /** The bar, in exactly so many columns; none if a row has nothing to measure. */
  readonly bar: ((columns: number) => Span[]) | undefined
  /** Aligned to the right. */
  readonly cells: readonly string[]
  /** After the cells, aligned to the left. */
  readonly note: string
}

const GAP = '  '
const BAR_MIN = 6
const BAR_MAX = 24

/** @returns a line for every row; the caller cuts what is still too wide */
export function layOut(rows: readonly GridRow[], columns: number): Span[][] {
  const label = widest(rows, (row) => row.label)
  const count = Math.max(0, ...rows.map((row) => row.cells.length))
  const cells = Array.from({ length: count }, (_, i) => widest(rows, (row) => row.cells[i] ?? ''))
  const note = widest(rows, (row) => row.note)
  const hasBar = rows.some((row) => row.bar !== undefined)
  let fixed = label + cells.reduce((sum, width) => sum + GAP.length + width, 0) + (note > 0 ? GAP.length + note : 0)
  let kept = count
  while (kept > 1 && fixed > columns) fixed -= GAP.length + cells[--kept]
  const room = columns - fixed - GAP.length
  const bar = hasBar && room >= BAR_MIN ? Math.min(BAR_MAX, room) : 0
  return rows.map((row) => line(row, label, bar, cells.slice(0, kept)))
}

function line(row: GridRow, label: number, bar: number, cells: readonly number[]): Span[] {
  const spans = [span(padEnd(row.label, label))]
  if (bar > 0) spans.push(span(GAP), ...(row.bar?.(bar) ?? [span(' '.repeat(bar))]))
  cells.forEach((width, i) => {
    spans.push(span(GAP + padStart(row.cells[i] ?? '', width)))
  })
  if (row.note !== '') spans.push(span(GAP + row.note, 'dim'))
  return spans
}

function widest(rows: readonly GridRow[], text: (row: GridRow) => string): number {
  return Math.max(0, ...rows.map((row) => columnsOf(text(row))))
}
