/**
 * A flush of a MemTable with range tombstones onto tables that are described by text: planned as the engine plans it, run,
 * installed, and read back.
 *
 * Text  a table's entry: `key@5=value`, or `key@5-` for a tombstone; a MemTable's op: `5 put key value`, `5 del key`,
 *       `5 range start end`
 */
import assert from 'node:assert/strict'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { compareInternalKeys, encodeInternalKey, tagSequence, tagType } from '../../src/base/internal-key.ts'
import { type FileNumber, fileNumber, type SequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { type FlushPlan, planFlush } from '../../src/db/background/flush-plan.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type FlushResult, runFlushJob } from '../../src/jobs/flush-job.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { Table } from '../../src/table/table.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { buildTable, bytesOf, compareEntries, current, deleteEntry, type Entry, putEntry } from '../table/entries.ts'

export const FORMAT = { blockBytes: 64, restartInterval: 2, bloomBitsPerKey: 10, compression: 'none' } as const
const DIRECTORY = '/db'
const LEVELS = 7

export interface Flushed {
  readonly plan: FlushPlan
  readonly result: FlushResult
  /** Entries of the new table; none if there is no table. */
  readonly entries: readonly Entry[]
}

export class Flushing {
  readonly environment: MemoryEnvironment = new MemoryEnvironment()
  readonly levels: FileMetadata[][] = Array.from({ length: LEVELS }, () => [])
  readonly busy: Set<FileNumber> = new Set()
  #next = 100
  readonly #entries = new Map<FileNumber, readonly Entry[]>()

  constructor() {
    this.environment.files.makeDirectory(DIRECTORY)
  }

  addTable(level: number, number: number, unsorted: readonly Entry[]): void {
    const entries = [...unsorted].sort((a, b) => compareEntries(a, b))
    const options = { ...FORMAT, comparator: bytewiseComparator, filterPolicy: undefined }
    const bytes = buildTable(entries, options)
    this.environment.write(this.path(number), bytes)
    const [first, last] = [entries[0], entries[entries.length - 1]]
    const file = {
      number: fileNumber(number),
      bytes: bytes.length,
      smallest: internalKey(first),
      largest: internalKey(last),
    }
    this.#entries.set(file.number, entries)
    this.levels[level].push(file)
    if (level > 0) this.levels[level].sort((a, b) => compareInternalKeys(bytewiseComparator, a.smallest, b.smallest))
  }

  /** @param oldestSnapshot sequence of the oldest open snapshot */
  flush(memtable: MemTable, oldestSnapshot?: number): Flushed {
    memtable.freeze()
    const plan = planFlush(memtable, this.levels, bytewiseComparator, {
      busy: this.busy,
      oldestSnapshot: oldestSnapshot as SequenceNumber | undefined,
    })
    const number = fileNumber(this.#next++)
    const token = memtable.share()
    const job = {
      kind: 'flush',
      directory: DIRECTORY,
      number,
      memtable: token,
      below: plan.below,
      format: FORMAT,
      outlineBytesMax: 0,
    } as const
    const result = runFlushJob(job, this.environment, bytewiseComparator)
    return { plan, result, entries: result.file === undefined ? [] : this.#read(result.file) }
  }

  /** What a reader at a sequence finds in the tables, newest first of all that are left, and the new one. */
  visible(key: string, sequence: number, { plan, entries }: Flushed): string | undefined {
    const gone = new Set(plan.dropped.map(({ number }) => number))
    const all = [...entries]
    for (const files of this.levels) {
      for (const { number } of files)
        if (!gone.has(number)) all.push(...(this.#entries.get(number) as readonly Entry[]))
    }
    return newestValue(all, key, sequence)
  }

  /** Entries of all tables, before the flush. */
  get below(): Entry[] {
    return [...this.#entries.values()].flat()
  }

  path(number: number): string {
    return `${DIRECTORY}/${String(number).padStart(6, '0')}.ldb`
  }

  #read({ number, bytes }: FileMetadata): Entry[] {
    const file = this.environment.files.openRandomAccess(this.path(number))
    assert.equal(file.bytes, bytes)
    const table = Table.open(file, number, {
      comparator: bytewiseComparator,
      filterPolicy: undefined,
      blockCache: undefined,
      codecs: undefined,
    })
    const found: Entry[] = []
    const entries = table.iterator()
    for (entries.seekToFirst(); entries.valid; entries.next()) found.push(current(entries) as Entry)
    table.close()
    return found
  }
}

/** The value of the key's newest entry at or below a sequence. */
export function newestValue(entries: readonly Entry[], key: string, sequence: number): string | undefined {
  let newest: Entry | undefined
  for (const entry of entries) {
    if (Buffer.from(entry.key).toString('latin1') !== key || sequenceOf(entry) > sequence) continue
    if (newest === undefined || sequenceOf(entry) > sequenceOf(newest)) newest = entry
  }
  if (newest === undefined || tagType(newest.low) === ValueType.DELETION) return undefined
  return Buffer.from(newest.value).toString('latin1')
}

export function sequenceOf({ low, high }: Entry): number {
  return tagSequence(low, high)
}

export function parseEntry(text: string): Entry {
  const [, key, sequence, rest] = /^(.*)@(\d+)([=-].*)$/.exec(text) as RegExpExecArray
  return rest === '-'
    ? deleteEntry(bytesOf(key), Number(sequence))
    : putEntry(bytesOf(key), Number(sequence), bytesOf(rest.slice(1)))
}

export function showEntry(entry: Entry): string {
  const isDeletion = tagType(entry.low) === ValueType.DELETION
  const rest = isDeletion ? '-' : `=${Buffer.from(entry.value).toString('latin1')}`
  return `${Buffer.from(entry.key).toString('latin1')}@${sequenceOf(entry)}${rest}`
}

/** A MemTable of the ops. */
export function memTableOf(ops: readonly string[], representation: 'radix' | 'skiplist' = 'radix'): MemTable {
  const table = MemTable.create({ capacityBytes: 1024 * 1024, representation })
  for (const op of ops) {
    const [sequence, name, first, second] = op.split(' ')
    if (name === 'put') table.put(first, second, Number(sequence))
    else if (name === 'del') table.delete(first, Number(sequence))
    else table.deleteRange(first, second, Number(sequence))
  }
  return table
}

function internalKey({ key, low, high }: Entry): Uint8Array<ArrayBuffer> {
  return encodeInternalKey(key, 0, key.length, low, high)
}
