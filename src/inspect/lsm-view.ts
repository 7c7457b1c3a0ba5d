/**
 * The layers of a database as a picture for a terminal, newest layer on top, as sediment lies: MemTables, logs, tables level
 * by level. Every line has exactly the width asked for.
 */
import { logName, manifestName, tableName } from '../base/filename.ts'
import { fileNumber } from '../base/types.ts'
import type { LevelFigures, LogFigures, MemTableFigures, Stats, TableFigures } from '../db/reports/stats.ts'
import { showBytesCount, showCount, showPlural } from './figures.ts'
import { KeyStrip } from './key-strip.ts'
import { type GridRow, layOut } from './layer-grid.ts'
import { showBytes } from './render-bytes.ts'
import { columnsOf, fit, paint, type Span, type Style, shorten, shortenStart, span } from './span.ts'

export interface LayersOptions {
  /** Columns of every line, at least 24. */
  readonly width: number
  /** Whether to colour with escape sequences. Default false. */
  readonly color?: boolean
}

const MIN_WIDTH = 24
/** `│ ` and ` │`. */
const FRAME_COLUMNS = 4
/** A level of thousands of tables is still a picture, not a listing; `dump` lists. */
const MAX_TABLES = 16

/** @param stats of `DB.stats()` */
export function renderLayers(stats: Stats, options: LayersOptions): string {
  const width = Math.max(MIN_WIDTH, options.width)
  const lines = [
    edge('╭', '╮', stats.directory, `sequence ${showCount(stats.lastSequence)}`, width),
    ...framedRows(memoryRows(stats), width),
    ...section('log', showTotal(stats.logs, 'file'), stats.logs.map(logRow), width),
    ...tableSections(stats, width),
    ...remarkLines(stats, width),
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

function framedRows(rows: readonly GridRow[], width: number): Span[][] {
  const inner = width - FRAME_COLUMNS
  return layOut(rows, inner).map((spans) => framed(spans, inner))
}

function section(title: string, figure: string, rows: readonly GridRow[], width: number): Span[][] {
  return [edge('├', '┤', title, figure, width), ...framedRows(rows, width)]
}

function showTotal(files: readonly { readonly bytes: number }[], noun: string): string {
  if (files.length === 0) return 'none'
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return `${showPlural(files.length, noun)}, ${showBytesCount(bytes)}`
}

function memoryRows({ active, immutables, writeBufferBytes }: Stats): GridRow[] {
  return [
    memoryRow('active', active, writeBufferBytes, 'green'),
    ...immutables.map((table) => memoryRow('frozen', table, writeBufferBytes, 'blue')),
  ]
}

function memoryRow(label: string, table: MemTableFigures, fullBytes: number, style: Style): GridRow {
  const { memoryBytes, entries, tombstones, rangeTombstones } = table
  const fill = Math.min(1, memoryBytes / fullBytes)
  return {
    label,
    bar: (columns) => fillBar(fill, columns, style),
    cells: [
      `${Math.floor(fill * 100)} %`,
      `${showBytesCount(memoryBytes)} of ${showBytesCount(fullBytes)}`,
      showPlural(entries, 'entry', 'entries'),
      ...(tombstones > 0 ? [showPlural(tombstones, 'tombstone')] : []),
      ...(rangeTombstones > 0 ? [showPlural(rangeTombstones, 'range tombstone')] : []),
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

function tableSections({ tables, levels: figures }: Stats, width: number): Span[][] {
  if (tables.length === 0) return [edge('├', '┤', 'tables', 'none', width)]
  const strip = new KeyStrip(tables)
  const levels = [...new Set(tables.map((table) => table.level))]
    .sort((a, b) => a - b)
    .map((level) => levelOf(level, tables))
  // Laid out together: the strips of different levels are on one scale.
  const rows = framedRows(
    levels.flatMap(({ shown }) => shown.map((table) => tableRow(table, strip, width))),
    width,
  )
  return levels.flatMap((level) => [
    ...levelHead(level, figures[level.level], width),
    ...rows.splice(0, level.shown.length),
    ...levelRest(level, width),
  ])
}

interface LevelView {
  readonly level: number
  readonly all: readonly TableFigures[]
  /** Newest first, as all of the picture; or, in levels without overlap, in key order. */
  readonly shown: readonly TableFigures[]
}

function levelOf(level: number, tables: readonly TableFigures[]): LevelView {
  const all = tables.filter((table) => table.level === level)
  return { level, all, shown: (level === 0 ? [...all].reverse() : all).slice(0, MAX_TABLES) }
}

/** A level that is full says so: its next compaction is due. */
function levelHead({ level, all }: LevelView, figures: LevelFigures | undefined, width: number): Span[][] {
  const score = figures?.score ?? 0
  const fill = score > 0 ? `, ${Math.floor(score * 100)} % full` : ''
  return [edge('├', '┤', `level ${level}`, `${showTotal(all, 'table')}${fill}`, width)]
}

function levelRest({ all, shown }: LevelView, width: number): Span[][] {
  if (all.length === shown.length) return []
  return [framed([span(`… and ${showCount(all.length - shown.length)} more`, 'dim')], width - FRAME_COLUMNS)]
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

/** What has no layer. */
function remarkLines(stats: Stats, width: number): Span[][] {
  const inner = width - FRAME_COLUMNS
  const lines = remarks(stats, inner).map((spans) => framed(spans, inner))
  return lines.length === 0 ? [] : [edge('├', '┤', '', '', width), ...lines]
}

function remarks(stats: Stats, inner: number): Span[][] {
  const { blockCache, flushes, flushedBytes, stalls, stalledMs, openSnapshots, openScans, poisonedBy } = stats
  const parts: string[] = []
  // Opened for reading there is none.
  if (stats.manifestNumber > 0) {
    parts.push(`${manifestName(fileNumber(stats.manifestNumber))}, ${showBytesCount(stats.manifestBytes)}`)
  }
  if (flushes > 0) parts.push(`${showPlural(flushes, 'flush', 'flushes')}, ${showBytesCount(flushedBytes)}`)
  if (stats.compactions > 0) {
    parts.push(`${showPlural(stats.compactions, 'compaction')}, ${showBytesCount(stats.compactedBytes)}`)
  }
  if (stats.pendingCompactionBytes > 0) parts.push(`${showBytesCount(stats.pendingCompactionBytes)} to compact`)
  if (stats.writeAmplification > 0) parts.push(`${stats.writeAmplification.toFixed(1)} bytes written a byte`)
  if (stats.spaceAmplification >= 1.05) parts.push(`${stats.spaceAmplification.toFixed(1)} × the deepest level`)
  if (blockCache.hits + blockCache.misses > 0) {
    parts.push(
      `block cache ${showBytesCount(blockCache.bytes)}, ${showCount(blockCache.hits)} hits of ${showCount(blockCache.hits + blockCache.misses)}`,
    )
  }
  if (stats.stallReason !== undefined) parts.push(`writes held back: ${stats.stallReason}`)
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
