/**
 * Random histories of writes and range deletes with sequences in any order, and the plain model of them: a list in which
 * everything is looked for anew.
 */
import fc from 'fast-check'
import { bytewiseComparator, type Comparator, customComparator } from '../../src/base/comparator.ts'
import type { Bytes } from '../../src/base/types.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'
import { anyKey } from './histories.ts'
import type { Representation } from './representations.ts'

/** How a table finds its keys. */
export interface Kind {
  readonly representation: Representation
  readonly comparator: Comparator
}

/** The last order is not one of which the empty key is the first. */
export const KINDS: readonly Kind[] = [
  { representation: 'radix', comparator: bytewiseComparator },
  { representation: 'skiplist', comparator: bytewiseComparator },
  {
    representation: 'skiplist',
    comparator: customComparator({ name: 'test.backwards', compare: (a, b) => Buffer.compare(b, a) }),
  },
]

export interface Op {
  readonly kind: 'put' | 'delete' | 'range'
  /** Of a range its start. */
  readonly key: Bytes
  /** Of a range its end, in bytewise order. */
  readonly end: Bytes
  readonly sequence: number
}

export interface History {
  readonly ops: readonly Op[]
  /** All keys of the ops, and some that lie right behind them. */
  readonly keys: readonly Bytes[]
}

/** Sequences ascend for the most part; one that comes late is below some that came before. */
export const anyRangeHistory: fc.Arbitrary<History> = fc
  .tuple(
    fc.uniqueArray(anyKey, { minLength: 2, maxLength: 14, selector: (key) => key.join() }),
    fc.array(
      fc.tuple(
        fc.constantFrom<Op['kind']>('put', 'delete', 'range', 'range'),
        fc.nat(),
        fc.nat(),
        fc.constantFrom(2, 2, 2, 8, 2 ** 30),
        fc.boolean(),
      ),
      { maxLength: 40 },
    ),
  )
  .map(([keys, drawn]) => {
    let sequence = 0
    const ops = drawn.map(([kind, a, b, step, isLate]): Op => {
      sequence += step
      const first = keys[a % keys.length]
      const second = keys[b % keys.length]
      const isInOrder = Buffer.compare(first, second) <= 0
      const [key, end] = kind === 'range' && !isInOrder ? [second, first] : [first, second]
      // Odd, so that no two have the same one.
      return { kind, key, end, sequence: isLate && sequence > 9 ? sequence - 7 : sequence }
    })
    return { ops, keys: [...keys, ...keys.slice(0, 5).map((key) => Uint8Array.of(...key, 0)), new Uint8Array(0)] }
  })

/** What a table of some kind does with an op: a range goes from the lesser key in its order to the greater one. */
export function apply(table: MemTable, kind: Kind, op: Op): void {
  const [start, end] = ends(kind, op)
  if (op.kind === 'put') table.put(op.key, `${op.sequence}`, op.sequence)
  else if (op.kind === 'delete') table.delete(op.key, op.sequence)
  else table.deleteRange(start, end, op.sequence)
}

function ends({ comparator }: Kind, { key, end }: Op): readonly [Bytes, Bytes] {
  return comparator.compare(key, 0, key.length, end, 0, end.length) <= 0 ? [key, end] : [end, key]
}

export class Model {
  readonly kind: Kind
  readonly points: Op[] = []
  readonly ranges: Op[] = []

  constructor(kind: Kind) {
    this.kind = kind
  }

  compare(a: Bytes, b: Bytes): number {
    return this.kind.comparator.compare(a, 0, a.length, b, 0, b.length)
  }

  /** Whether a table takes the op. */
  takes(op: Op): boolean {
    if (op.kind === 'range') return this.ranges.every((range) => range.sequence < op.sequence)
    return this.points.every(({ key, sequence }) => sequence < op.sequence || Buffer.compare(key, op.key) !== 0)
  }

  add(op: Op): void {
    if (op.kind !== 'range') this.points.push(op)
    else if (Buffer.compare(op.key, op.end) !== 0) this.ranges.push(op)
  }

  /** Sequences of the range tombstones over a key, ascending. */
  covers(key: Bytes, atMost: number): number[] {
    return this.ranges.filter((op) => op.sequence <= atMost && this.#isCovered(op, key)).map((op) => op.sequence)
  }

  /** The newest version of a key, ranges apart. */
  point(key: Bytes, atMost: number): Op | undefined {
    return this.points
      .filter((op) => op.sequence <= atMost && Buffer.compare(op.key, key) === 0)
      .toSorted((a, b) => a.sequence - b.sequence)
      .at(-1)
  }

  /** The answer about a key, in words: `tombstone 7`, `value 3` (whose value is its sequence), or `nothing`. */
  answer(key: Bytes, atMost: number): string {
    const cover = this.covers(key, atMost).at(-1) ?? 0
    const point = this.point(key, atMost)
    if (cover > (point?.sequence ?? 0)) return `tombstone ${cover}`
    if (point === undefined) return 'nothing'
    return point.kind === 'put' ? `value ${point.sequence}` : `tombstone ${point.sequence}`
  }

  /** The stretches with the newest cover, in the table's order. */
  fragments(atMost: number): string[] {
    const ranges = this.ranges.filter((op) => op.sequence <= atMost)
    const bounds = ranges.flatMap((op) => [op.key, op.end]).toSorted((a, b) => this.compare(a, b))
    const found: { start: Bytes; end: Bytes; sequence: number }[] = []
    for (const [i, start] of bounds.slice(0, -1).entries()) {
      const end = bounds[i + 1]
      const sequence = this.covers(start, atMost).at(-1)
      const last = found.at(-1)
      if (sequence === undefined || this.compare(start, end) === 0) continue
      if (last !== undefined && last.sequence === sequence && this.compare(last.end, start) === 0) last.end = end
      else found.push({ start, end, sequence })
    }
    return found.map(fragmentWords)
  }

  #isCovered(op: Op, key: Bytes): boolean {
    const [start, end] = ends(this.kind, op)
    return this.compare(start, key) <= 0 && this.compare(key, end) < 0
  }
}

export function fragmentWords(range: {
  readonly start: Bytes
  readonly end: Bytes
  readonly sequence: number
}): string {
  return `${Buffer.from(range.start).toString('hex')}..${Buffer.from(range.end).toString('hex')} ${range.sequence}`
}

/** What `get` answers, as Model.answer. */
export function answerOf(table: MemTable, key: Bytes, sequence: number): string {
  const found = table.get(key, sequence)
  if (found === undefined) return 'nothing'
  if (found.type === 'value' && Buffer.from(found.value).toString() !== `${found.sequence}`) return 'another value'
  return `${found.type} ${found.sequence}`
}
