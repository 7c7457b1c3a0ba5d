/**
 * The golden databases, written by LevelDB in C++ (tools/make-golden.ts), as tests read them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { compressorOf } from '../../src/table/compression.ts'
import type { TableOptions } from '../../src/table/table-builder.ts'
import { compareEntries, deleteEntry, type Entry, putEntry } from './entries.ts'

type Operation = ['put', string, string] | ['delete', string]

interface OperationsFile {
  readonly blockBytes: number
  readonly restartInterval: number
  readonly bloomBitsPerKey: number
  /** Absent from those that are not compressed. */
  readonly compression?: 'snappy'
  readonly writes: readonly (readonly Operation[])[]
}

export interface Golden {
  readonly name: string
  readonly options: TableOptions
  /** Every version that was written, in internal-key order. */
  readonly entries: readonly Entry[]
  readonly table: Uint8Array<ArrayBuffer>
}

const folder: URL = new URL('../../../test/testdata/golden/', import.meta.url)

export function goldenNames(): string[] {
  return readdirSync(folder).sort()
}

export function readGolden(name: string): Golden {
  const path = (file: string): string => fileURLToPath(new URL(`${name}/${file}`, folder))
  const recipe = JSON.parse(readFileSync(path('operations.json'), 'utf8')) as OperationsFile
  const options = {
    comparator: bytewiseComparator,
    blockBytes: recipe.blockBytes,
    restartInterval: recipe.restartInterval,
    filterPolicy: new BloomFilter(recipe.bloomBitsPerKey),
    compressor: compressorOf(recipe.compression ?? 'none', undefined),
  }
  const entries = recipe.writes.flat().map((operation, i) => entryOf(operation, i + 1))
  entries.sort((a, b) => compareEntries(a, b))
  return { name, options, entries, table: new Uint8Array(readFileSync(path('000005.ldb'))) }
}

function entryOf(operation: Operation, sequence: number): Entry {
  const key = new Uint8Array(Buffer.from(operation[1], 'hex'))
  if (operation[0] === 'delete') return deleteEntry(key, sequence)
  return putEntry(key, sequence, new Uint8Array(Buffer.from(operation[2], 'hex')))
}
