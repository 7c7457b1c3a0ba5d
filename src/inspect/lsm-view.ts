/**
 * The layers of a database as a picture for a terminal, newest layer on top, as sediment lies: MemTables, logs, tables level
 * by level. Every line has exactly the width asked for.
 */
import { logName, manifestName, tableName } from '../base/filename.ts'
import { fileNumber } from '../base/types.ts'
import type { LogFigures, MemTableFigures, Stats, TableFigures } from '../db/layers.ts'
import { showBytesCount, showCount, showPlural } from './figures.ts'
import { KeyStrip } from './key-strip.ts'
import { type GridRow, layOut } from './layer-grid.ts'
import { showBytes } from './render-bytes.ts'
import { columnsOf, fit, paint, type Span, type Style, shorten, shortenStart, span } from './span.ts'

export interface LayersOptions {
  /** Columns of every line, at least 24. Default 80. */
  readonly width?: number
  /** Whether to colour with escape sequences. Default false. */
  readonly color?: boolean
  /** The size at which MemTables freeze, where their bars are full. Default: what they have room for. */
  readonly writeBufferBytes?: number
}

const MIN_WIDTH = 24
/** `│ ` and ` │`. */
const FRAME_COLUMNS = 4
/** A level of thousands of tables is still a picture, not a listing; `dump` lists. */
const MAX_TABLES = 16

/** @param stats of `DB.stats()` */
export function renderLayers(stats: Stats, options: LayersOptions = {}): string {
  const width = Math.max(MIN_WIDTH, options.width ?? 80)
  const inner = width - FRAME_COLUMNS
  const lines = [
    edge('╭', '╮', stats.directory, `sequence ${showCount(stats.lastSequence)}`, width),
    ...section('memory', '', memoryRows(stats, options.writeBufferBytes), width, false),
    ...section('log', showTotal(stats.logs, 'file'), stats.logs.map(logRow), width),
    ...tableSections(stats.tables, width),
    edge('├', '┤', '', '', width),
    ...remarks(stats, inner).map((spans) => framed(spans, inner)),
    edge('╰', '╯', '', '', width),
  ]
  return lines.map((spans) => paint(spans, options.color ?? false)).join('\n')
}

/** A line of the frame, with a title at its left and a figure at its right. */
function edge(left: string, right: string, title: string, figure: string, width: number): Span[] {
  const room = width - 6
  const shownFigure = columnsOf(figure) + 4 <= room ? figure : ''
  const titleRoom = room - (shownFigure === '' ? 0 : columnsOf(shownFigure) + 4)
  const shownTitle = shortenStart(title, titleRoom)
  const head = shownTitle === '' ? [] : [span(' '), span(shownTitle, 'bold'), span(' ')]
  const tail = shownFigure === '' ? [] : [span(` ${shownFigure} `)]
  const used = [...head, ...tail].reduce((sum, { text }) => sum + columnsOf(text), 0)
  const line = '─'.repeat(Math.max(0, width - 4 - used))
  return [span(`${left}─`, 'dim'), ...head, span(line, 'dim'), ...tail, span(`─${right}`, 'dim')]
}

function framed(spans: readonly Span[], inner: number): Span[] {
  return [span('│ ', 'dim'), ...fit(spans, inner), span(' │', 'dim')]
}

function section(title: string, figure: string, rows: readonly GridRow[], width: number, hasEdge = true): Span[][] {
  const inner = width - FRAME_COLUMNS
  const lines = layOut(rows, inner).map((spans) => framed(spans, inner))
  return hasEdge ? [edge('├', '┤', title, figure, width), ...lines] : lines
}

function showTotal(files: readonly { readonly bytes: number }[], noun: string): string {
  if (files.length === 0) return 'none'
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return `${showPlural(files.length, noun)}, ${showBytesCount(bytes)}`
}

function memoryRows({ active, immutables }: Stats, fullBytes: number | undefined): GridRow[] {
  return [
    memoryRow('active', active, fullBytes ?? active.capacityBytes, 'green'),
    ...immutables.map((table) => memoryRow('frozen', table, fullBytes ?? table.capacityBytes, 'blue')),
  ]
}

function memoryRow(label: string, table: MemTableFigures, fullBytes: number, style: Style): GridRow {
  const { memoryBytes, entries, tombstones } = table
  const fill = Math.min(1, memoryBytes / fullBytes)
  return {
    label,
    bar: (columns) => fillBar(fill, columns, style),
    cells: [
      `${Math.floor(fill * 100)} %`,
      `${showBytesCount(memoryBytes)} of ${showBytesCount(fullBytes)}`,
      showPlural(entries, 'entry', 'entries'),
      ...(tombstones > 0 ? [showPlural(tombstones, 'tombstone')] : []),
    ],
    note: '',
  }
}

function logRow({ number, bytes, syncedBytes }: LogFigures): GridRow {
  return {
    label: logName(fileNumber(number)),
    bar: (columns) => fillBar(bytes === 0 ? 0 : syncedBytes / bytes, columns, 'yellow'),
    cells: [showBytesCount(bytes)],
    note: syncedBytes >= bytes ? 'synced' : `${showBytesCount(syncedBytes)} synced`,
  }
}

/** A bar with eighths of a column; any amount above nothing shows. */
function fillBar(fraction: number, columns: number, style: Style): Span[] {
  const exact = Math.min(1, Math.max(0, fraction)) * columns * 8
  const eighths = exact > 0 ? Math.max(1, Math.floor(exact)) : 0
  const full = Math.floor(eighths / 8)
  const part = ' ▏▎▍▌▋▊▉'[eighths % 8].trim()
  const filled = '█'.repeat(full) + part
  return [span(filled, style), span('░'.repeat(columns - filled.length), 'dim')]
}

function tableSections(tables: readonly TableFigures[], width: number): Span[][] {
  if (tables.length === 0) return [edge('├', '┤', 'tables', 'none', width)]
  const strip = new KeyStrip(tables)
  const levels = [...new Set(tables.map((table) => table.level))].sort((a, b) => a - b)
  return levels.flatMap((level) => levelSection(level, tables, strip, width))
}

function levelSection(level: number, tables: readonly TableFigures[], strip: KeyStrip, width: number): Span[][] {
  const all = tables.filter((table) => table.level === level)
  // Newest first, as all of the picture.
  const newest = level === 0 ? [...all].reverse() : all
  const rows = newest.slice(0, MAX_TABLES).map((table) => tableRow(table, strip, width))
  const lines = section(`level ${level}`, showTotal(all, 'table'), rows, width)
  if (all.length <= MAX_TABLES) return lines
  return [...lines, framed([span(`… and ${showCount(all.length - MAX_TABLES)} more`, 'dim')], width - FRAME_COLUMNS)]
}

function tableRow(table: TableFigures, strip: KeyStrip, width: number): GridRow {
  const keyColumns = width >= 100 ? 28 : width >= 72 ? 15 : 10
  const keys = [table.smallest, table.largest].map((key) => shorten(showBytes(key), keyColumns))
  return {
    label: tableName(fileNumber(table.number)),
    bar: (columns) => stripBar(strip.place(table, columns)),
    cells: [showBytesCount(table.bytes)],
    note: `${keys[0]} → ${keys[1]}`,
  }
}

function stripBar([before, inside, after]: readonly [before: number, inside: number, after: number]): Span[] {
  return [span('·'.repeat(before), 'dim'), span('━'.repeat(inside), 'blue'), span('·'.repeat(after), 'dim')]
}

/** What has no layer, as lines of at most `inner` columns. */
function remarks(stats: Stats, inner: number): Span[][] {
  const { blockCache, flushes, flushedBytes, stalls, stalledMs, openSnapshots, openScans, poisonedBy } = stats
  const parts = [`${manifestName(fileNumber(stats.manifestNumber))}, ${showBytesCount(stats.manifestBytes)}`]
  if (flushes > 0) parts.push(`${showPlural(flushes, 'flush', 'flushes')}, ${showBytesCount(flushedBytes)}`)
  if (blockCache.hits + blockCache.misses > 0) {
    parts.push(
      `block cache ${showBytesCount(blockCache.bytes)}, ${showCount(blockCache.hits)} hits of ${showCount(blockCache.hits + blockCache.misses)}`,
    )
  }
  if (stalls > 0) parts.push(`${showPlural(stalls, 'stall')}, ${Math.round(stalledMs)} ms`)
  if (openSnapshots > 0) parts.push(showPlural(openSnapshots, 'snapshot'))
  if (openScans > 0) parts.push(showPlural(openScans, 'open scan'))
  const lines = flow(parts, inner).map((text) => [span(text, 'dim')])
  if (poisonedBy !== undefined) lines.push([span(`takes no more writes: ${poisonedBy}`, 'red')])
  return lines
}

/** The parts, separated by dots, in as few lines as they fit. */
function flow(parts: readonly string[], columns: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    const joined = `${last} · ${part}`
    if (last !== undefined && columnsOf(joined) <= columns) lines[lines.length - 1] = joined
    else lines.push(part)
  }
  return lines
}
