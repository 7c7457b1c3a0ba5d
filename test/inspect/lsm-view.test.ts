/**
 * The picture of the layers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemTableFigures, Stats, TableFigures } from '../../src/db/reports/stats.ts'
import { renderLayers } from '../../src/inspect/lsm-view.ts'
import { columnsOf } from '../../src/inspect/span.ts'

const MIB = 1024 * 1024

function memTable(memoryBytes: number, entries: number, tombstones: number = 0): MemTableFigures {
  const capacityBytes = 8 * MIB
  const counts = { entries, tombstones, rangeTombstones: 0 }
  return { ...counts, liveBytes: memoryBytes, memoryBytes, capacityBytes, logNumber: 9, firstSequence: 1 }
}

function tableOf(number: number, level: number, bytes: number, smallest: string, largest: string): TableFigures {
  const encoder = new TextEncoder()
  const keys = { smallest: encoder.encode(smallest), largest: encoder.encode(largest) }
  return { number, level, bytes, ...keys, entries: undefined, tombstones: undefined, isEstimate: false }
}

const EMPTY: Stats = {
  directory: 'data',
  lastSequence: 0,
  writeBufferBytes: 8 * MIB,
  active: memTable(0, 0),
  immutables: [],
  logs: [{ number: 3, bytes: 19, syncedBytes: 19 }],
  tables: [],
  manifestNumber: 2,
  manifestBytes: 50,
  openSnapshots: 0,
  openScans: 0,
  readers: 0,
  flushes: 0,
  flushedBytes: 0,
  levels: [],
  compactions: 0,
  compactedBytes: 0,
  isCompacting: false,
  pendingCompactionBytes: 0,
  writes: { groups: 0, entries: 0, bytes: 0, logBytes: 0 },
  writeAmplification: 0,
  spaceAmplification: 1,
  stallReason: undefined,
  stalls: 0,
  stalledMs: 0,
  delayedMs: 0,
  blockCache: { bytes: 0, hits: 0, misses: 0 },
  tableCache: { open: 0, bytes: 0, misses: 0 },
  damagedFilters: [],
  poisonedBy: undefined,
}

const FULL: Stats = {
  ...EMPTY,
  directory: '/var/lib/cities',
  lastSequence: 135234,
  active: memTable(2 * MIB, 7334, 1),
  immutables: [memTable(8 * MIB, 36000)],
  logs: [
    { number: 17, bytes: 4 * MIB, syncedBytes: 4 * MIB },
    { number: 19, bytes: 1.5 * MIB, syncedBytes: 0.75 * MIB },
  ],
  tables: [
    tableOf(12, 0, 3.6 * MIB, 'AD/Andorra la Vella/3041563', 'ES/Úbeda/2510116'),
    tableOf(16, 0, 900, 'CN/Ailan', '東京'),
    tableOf(5, 1, 28 * MIB, '\u0000', 'M'),
    tableOf(6, 1, 28 * MIB, 'N', 'Z'),
  ],
  flushes: 4,
  flushedBytes: 12 * MIB,
  stalls: 1,
  stalledMs: 12.4,
  openSnapshots: 2,
  blockCache: { bytes: 16 * MIB, hits: 74580, misses: 3888 },
  poisonedBy: 'no space left on device',
}

test('an empty database is a picture too', () => {
  const expected = `
╭─ data ────────────────────────────────────────── sequence 0 ─╮
│ active  ░░░░░░░░░░░░░░░░░░░░  0 %  0 B of 8.0 MiB  0 entries │
├─ log ───────────────────────────────────────── 1 file, 19 B ─┤
│ 000003.log  ████████████████████████  19 B  synced           │
├─ tables ────────────────────────────────────────────── none ─┤
├──────────────────────────────────────────────────────────────┤
│ MANIFEST-000002, 50 B                                        │
╰──────────────────────────────────────────────────────────────╯
`
  assert.equal(renderLayers(EMPTY, { width: 64 }), expected.trim())
})

test('layers are drawn newest first, in aligned columns, the tables of all levels on one scale of keys', () => {
  const expected = `
╭─ /var/lib/cities ───────────────────────────────────────── sequence 135,234 ─╮
│ active  ███░░░░░░░░░   25 %  2.0 MiB of 8.0 MiB   7,334 entries  1 tombstone │
│ frozen  ████████████  100 %  8.0 MiB of 8.0 MiB  36,000 entries              │
├─ log ───────────────────────────────────────────────────── 2 files, 5.5 MiB ─┤
│ 000017.log  ████████████████████████  4.0 MiB  synced                        │
│ 000019.log  ████████████░░░░░░░░░░░░  1.5 MiB  768.0 KiB synced              │
├─ level 0 ──────────────────────────────────────────────── 2 tables, 3.6 MiB ─┤
│ 000016.ldb  ·····━━━━━━━━━━━━━━     900 B  CN/Ailan → 東京                   │
│ 000012.ldb  ··━━━━━━···········   3.6 MiB  AD/Andorra la … → ES/Úbeda/25101… │
├─ level 1 ─────────────────────────────────────────────── 2 tables, 56.0 MiB ─┤
│ 000005.ldb  ━━━━━━━━━━━········  28.0 MiB  0x00 → M                          │
│ 000006.ldb  ·············━━━···  28.0 MiB  N → Z                             │
├──────────────────────────────────────────────────────────────────────────────┤
│ MANIFEST-000002, 50 B · 4 flushes, 12.0 MiB                                  │
│ block cache 16.0 MiB, 74,580 hits of 78,468 · 1 stall, 12 ms · 2 snapshots   │
│ takes no more writes: no space left on device                                │
╰──────────────────────────────────────────────────────────────────────────────╯
`
  assert.equal(renderLayers(FULL, { width: 80 }), expected.trim())
})

test('levels tell how full they are, and compactions what they have done and have left to do', () => {
  const level = { tables: 2, compactions: 0, moves: 0, bytesRead: 0, bytesWritten: 0, durationMs: 0 }
  const compacted: Stats = {
    ...FULL,
    levels: [
      { ...level, level: 0, bytes: 3.6 * MIB, score: 0.5 },
      { ...level, level: 1, bytes: 56 * MIB, score: 5.6 },
    ],
    compactions: 1,
    compactedBytes: 56 * MIB,
    pendingCompactionBytes: 46 * MIB,
    writeAmplification: 3.04,
    spaceAmplification: 1.06,
    stallReason: 'level0-tables',
  }
  const drawn = renderLayers(compacted, { width: 80 })
  for (const part of [
    '2 tables, 3.6 MiB, 50 % full',
    '2 tables, 56.0 MiB, 560 % full',
    '1 compaction, 56.0 MiB',
    '46.0 MiB to compact',
    '3.0 bytes written a byte',
    '1.1 × the deepest level',
    'writes held back: level0-tables',
  ]) {
    assert.ok(drawn.includes(part), part)
  }
})

test('narrow terminals lose bars and cells, but not the alignment', () => {
  const expected = `
╭─ …ar/lib/cities ── sequence 135,234 ─╮
│ active   25 %  2.0 MiB of 8.0 MiB    │
│ frozen  100 %  8.0 MiB of 8.0 MiB    │
├─ log ───────────── 2 files, 5.5 MiB ─┤
│ 000017.log  4.0 MiB  synced          │
│ 000019.log  1.5 MiB  768.0 KiB sync… │
├─ level 0 ──────── 2 tables, 3.6 MiB ─┤
│ 000016.ldb     900 B  CN/Ailan → 東… │
│ 000012.ldb   3.6 MiB  AD/Andorr… → … │
├─ level 1 ─────── 2 tables, 56.0 MiB ─┤
│ 000005.ldb  28.0 MiB  0x00 → M       │
│ 000006.ldb  28.0 MiB  N → Z          │
├──────────────────────────────────────┤
│ MANIFEST-000002, 50 B                │
│ 4 flushes, 12.0 MiB                  │
│ block cache 16.0 MiB, 74,580 hits o… │
│ 1 stall, 12 ms · 2 snapshots         │
│ takes no more writes: no space left… │
╰──────────────────────────────────────╯
`
  assert.equal(renderLayers(FULL, { width: 40 }), expected.trim())
})

test('every line has the width asked for, whatever it is', () => {
  for (let width = 24; width <= 140; width++) {
    for (const stats of [EMPTY, FULL]) {
      for (const line of renderLayers(stats, { width }).split('\n')) assert.equal(columnsOf(line), width, line)
    }
  }
  assert.equal(renderLayers(FULL, { width: 1 }), renderLayers(FULL, { width: 24 }))
})

test('bars are full at the size at which MemTables freeze', () => {
  assert.match(renderLayers(FULL, { width: 80 }), / 25 % +2\.0 MiB of 8\.0 MiB/)
  assert.match(renderLayers({ ...FULL, writeBufferBytes: 4 * MIB }, { width: 80 }), / 50 % +2\.0 MiB of 4\.0 MiB/)
  assert.match(renderLayers({ ...FULL, writeBufferBytes: 4 * MIB }, { width: 80 }), / 100 % +8\.0 MiB of 4\.0 MiB/)
})

function withoutEscapes(text: string): string {
  const [first, ...rest] = text.split('\u001b')
  return first + rest.map((part) => part.replace(/^\[\d+m/, '')).join('')
}

test('colour adds escape sequences and changes nothing else', () => {
  const painted = renderLayers(FULL, { width: 80, color: true })
  assert.ok(painted.includes('\u001b[32m'))
  assert.equal(withoutEscapes(painted), renderLayers(FULL, { width: 80 }))
})

test('of a level with many tables the newest are drawn, and the others counted', () => {
  const tables = Array.from({ length: 40 }, (_, i) => tableOf(i + 1, 0, 100, `key${i}`, `key${i + 1}`))
  const picture = renderLayers({ ...FULL, tables }, { width: 80 })
  assert.match(picture, /000040\.ldb/)
  assert.match(picture, /000025\.ldb/)
  assert.doesNotMatch(picture, /000024\.ldb/)
  assert.match(picture, /… and 24 more/)
  assert.match(picture, /40 tables, 3\.9 KiB/)
})
