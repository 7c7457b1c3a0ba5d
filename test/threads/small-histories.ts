/**
 * Small histories of writes, each made for one way in which a MemTable's memory changes while readers are in it, and what
 * the table holds after each of their batches, by a plain model.
 */
import { tagType } from '../../src/base/internal-key.ts'
import { sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableOptions } from '../../src/memtable/memtable-options.ts'

export type Representation = NonNullable<MemTableOptions['representation']>

/** `+key` puts, with a value that tells its sequence; `-key` deletes; `/start/end` deletes a range. */
export type Batch = readonly string[]

export interface SmallHistory {
  readonly name: string
  readonly representation: Representation
  readonly seed: number
  readonly checksums: boolean
  /** The first one is there before any reader comes. */
  readonly batches: readonly Batch[]
  /** Whether the table is frozen in the end. */
  readonly isFrozen: boolean
}

export interface ModelVersion {
  readonly sequence: number
  /** undefined for a tombstone. */
  readonly value: string | undefined
}

export interface ModelRange {
  readonly start: string
  readonly end: string
  readonly sequence: number
}

/** What a table holds after some batches. */
export interface State {
  /** Keys in order; versions newest first. */
  readonly versions: ReadonlyMap<string, readonly ModelVersion[]>
  readonly ranges: readonly ModelRange[]
}

const FEW: Batch = ['+b', '+f', '+j']
const MANY = 'abcdefghijklmnop'
const NODE_16_FULL: Batch = Array.from(MANY, (letter) => `+k${letter}`)

/** What changes, and the batches that change it. The first batch of each is what was there. */
const CHANGES: Readonly<Record<string, readonly Batch[]>> = {
  'the first keys of an empty table': [[], ['+b'], ['+a', '+c']],
  'a new key beside others': [FEW, ['+d'], ['+dd', '+h']],
  'a new key at either end': [FEW, ['+z', '+a'], ['+zz']],
  'a node that is full grows': [['+ba', '+bc', '+be', '+bg'], ['+bd'], ['+bb', '+bf']],
  'a node grows while it is filled': [['+a', '+c', '+e'], ['+d', '+b'], ['+f']],
  'a node of 16 fans out': [NODE_16_FULL, ['+kq'], ['+k0', '+kz']],
  'a fan gains branches': [[...NODE_16_FULL, '+kq'], ['+k0'], ['+kA', '+k1']],
  'a fork above a leaf': [['+abcdefgh', '+z'], ['+abcdzz'], ['+abcdefzz', '+abc']],
  'a fork above a node': [['+stem1', '+stem2'], ['+stump'], ['+stem3', '+st']],
  'a key that ends inside': [['+aa', '+aab'], ['+a'], ['+', '+aabb']],
  'the second version of a key': [FEW, ['+f', '-b'], ['+f']],
  'a chain of versions': [['+k', '+m'], ['+k'], ['+k', '+k'], ['-k', '+k']],
  'all keys at once': [
    ['+a', '+b', '+c'],
    ['+a', '+b', '+c', '+d'],
    ['-a', '+b', '+c', '-d'],
  ],
  'a new key and versions of others': [FEW, ['+d', '+f', '-j'], ['+d', '+h']],
  'the first range tombstone': [FEW, ['/b/e'], ['+d']],
  'a range tombstone over others': [[...FEW, '/f/h'], ['/b/g', '+g'], ['/a/z']],
  'range tombstones one after another': [['+a', '+c', '+e', '/c/d'], ['/e/f'], ['/a/b'], ['/g/h', '/i/j']],
  'a range tombstone that splits another': [['+b', '+d', '+f', '/a/g'], ['/c/e'], ['+d', '/b/c', '/e/f']],
}

/** Seeds that give the skip list's new nodes towers of several heights; with checksums and without. */
const VARIANTS: Readonly<Record<Representation, readonly Pick<SmallHistory, 'seed' | 'checksums'>[]>> = {
  radix: [
    { seed: 1, checksums: false },
    { seed: 1, checksums: true },
  ],
  skiplist: [
    { seed: 1, checksums: false },
    { seed: 5, checksums: true },
  ],
  vector: [
    { seed: 1, checksums: false },
    { seed: 1, checksums: true },
  ],
}

/** All of them for a representation. A vector is frozen in the end, since nobody else reads it before. */
export function smallHistories(representation: Representation): SmallHistory[] {
  return Object.entries(CHANGES).flatMap(([name, batches], i) =>
    VARIANTS[representation].map((variant) => {
      const isFrozen = i % 2 === 0 || representation === 'vector'
      return { ...variant, name, representation, batches, isFrozen }
    }),
  )
}

/** The parts of a write, in order of its sequences. */
interface Write {
  readonly sequence: number
  readonly type: number
  readonly key: string
  readonly value: string
}

export function writesOf(history: SmallHistory, batch: number): Write[] {
  const before = history.batches.slice(0, batch).reduce((sum, { length }) => sum + length, 0)
  return history.batches[batch].map((text, i) => {
    const sequence = before + i + 1
    if (text[0] === '+') return { sequence, type: ValueType.VALUE, key: text.slice(1), value: valueAt(sequence) }
    if (text[0] === '-') return { sequence, type: ValueType.DELETION, key: text.slice(1), value: '' }
    const [, start, end] = text.split('/')
    return { sequence, type: ValueType.RANGE_DELETION, key: start, value: end }
  })
}

/** As long as no neighbour's. */
function valueAt(sequence: number): string {
  return `v${sequence}`.padEnd(2 + (sequence % 5), '.')
}

export function addTo(table: MemTable, write: Write): void {
  const key = Buffer.from(write.key, 'latin1')
  const value = Buffer.from(write.value, 'latin1')
  table.add(sequenceNumber(write.sequence), write.type, key, 0, key.length, value, 0, value.length)
}

/** What there is after the first `count` batches. */
export function stateAfter(history: SmallHistory, count: number): State {
  const versions = new Map<string, ModelVersion[]>()
  const ranges: ModelRange[] = []
  for (let batch = 0; batch < count; batch++) {
    for (const { sequence, type, key, value } of writesOf(history, batch)) {
      if (type === ValueType.RANGE_DELETION) {
        ranges.unshift({ start: key, end: value, sequence })
      } else {
        const isValue = tagType(type) === ValueType.VALUE
        versions.set(key, [{ sequence, value: isValue ? value : undefined }, ...(versions.get(key) ?? [])])
      }
    }
  }
  return { versions: new Map([...versions].sort(([a], [b]) => (a < b ? -1 : 1))), ranges }
}

/** Keys that a history writes, and the places right before and right behind those that come later. */
export function keysAsked(history: SmallHistory): string[] {
  const keys = new Set<string>()
  for (let batch = 0; batch < history.batches.length; batch++) {
    for (const { type, key } of writesOf(history, batch)) {
      // Of what was there, some tell it all.
      if (batch > 0 || keys.size < 4) keys.add(key)
      if (type === ValueType.RANGE_DELETION || batch === 0) continue
      keys.add(`${key}!`)
      if (key !== '') keys.add(key.slice(0, -1) + String.fromCharCode(key.charCodeAt(key.length - 1) - 1))
    }
  }
  return [...keys]
}
