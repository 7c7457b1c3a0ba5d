/**
 * History: what a database was told, and from that what it may answer: the model that the engine is compared with.
 *
 * A write is a list of edits that take effect together. Writes are numbered in the order of the calls; after `n` of them
 * the database holds `stateAt(n)`. A write is acknowledged when its call has returned or its promise is fulfilled: from
 * then on every read sees it and all that came before it, and a crash leaves at least what `keptCount` says.
 *
 * Keys and values are strings of one character a byte, so that their order is that of the bytes.
 */
import assert from 'node:assert/strict'
import type { Durability } from '../../src/base/types.ts'

/** A put, or a delete if the value is undefined; with an end, of all keys from `key` on and before it. */
export type Edit = readonly [key: string, value: string | undefined, end?: string]
export type State = ReadonlyMap<string, string>

/** What a crash does away with: what the process held, or also what was not synced. */
export type CrashKind = 'process' | 'power'

interface Write {
  readonly edits: readonly Edit[]
  readonly durability: Durability
  isAcknowledged: boolean
}

const SURVIVES: Readonly<Record<CrashKind, readonly Durability[]>> = { process: ['os', 'disk'], power: ['disk'] }

export class History {
  /** The state before the first write, and the sequence number that belongs to it. */
  #base: Map<string, string> = new Map()
  #baseSequence = 0
  #writes: Write[] = []
  /** The state after all writes. */
  #latest: Map<string, string> = new Map()
  /** Of the writes, so many were made durable, or handed to the operating system, by something other than themselves. */
  #floor: Record<CrashKind, number> = { process: 0, power: 0 }

  get count(): number {
    return this.#writes.length
  }

  /** Add a write; its number is the answer. */
  submit(edits: readonly Edit[], durability: Durability): number {
    this.#writes.push({ edits, durability, isAcknowledged: false })
    apply(this.#latest, edits)
    return this.#writes.length - 1
  }

  acknowledge(index: number): void {
    this.#writes[index].isAcknowledged = true
  }

  /** So many writes are visible at least. */
  get visibleCount(): number {
    return this.#writes.findLastIndex((write) => write.isAcknowledged) + 1
  }

  /** The first `count` writes survive a crash of that kind from now on. */
  keep(count: number, kind: CrashKind): void {
    this.#floor[kind] = Math.max(this.#floor[kind], count)
    if (kind === 'power') this.keep(count, 'process')
  }

  /** So many writes survive a crash of that kind at least. */
  keptCount(kind: CrashKind): number {
    const durable = this.#writes.findLastIndex(
      (write) => write.isAcknowledged && SURVIVES[kind].includes(write.durability),
    )
    return Math.max(this.#floor[kind], durable + 1)
  }

  /** Everything is visible: what the database holds. */
  get latest(): State {
    return this.#latest
  }

  stateAt(count: number): State {
    if (count === this.#writes.length) return this.#latest
    const state = new Map(this.#base)
    for (const { edits } of this.#writes.slice(0, count)) apply(state, edits)
    return state
  }

  /** What `key` may hold for a reader of this moment: undefined for nothing. */
  possibleValues(key: string): Set<string | undefined> {
    const values = new Set([this.stateAt(this.visibleCount).get(key)])
    for (const { edits } of this.#writes.slice(this.visibleCount)) {
      const last = edits.findLast((edit) => concerns(edit, key))
      if (last !== undefined) values.add(last[1])
    }
    return values
  }

  /** How many writes, at most `max`, end at this sequence number; fails if it lies inside one. Empty ones count in. */
  countAtSequence(sequence: number, max: number): number {
    let at = this.#baseSequence
    let count = 0
    while (count < max && (at < sequence || this.#writes[count].edits.length === 0))
      at += this.#writes[count++].edits.length
    assert.equal(at, sequence, 'the last sequence number is that of a whole write')
    return count
  }

  get sequence(): number {
    return this.#writes.reduce((sum, { edits }) => sum + edits.length, this.#baseSequence)
  }

  /** The first `count` writes are what there is now, durably, and the rest never happened. */
  restartAt(count: number): void {
    const state = new Map(this.stateAt(count))
    this.#baseSequence = this.#writes.slice(0, count).reduce((sum, { edits }) => sum + edits.length, this.#baseSequence)
    this.#base = state
    this.#latest = new Map(state)
    this.#writes = []
    this.#floor = { process: 0, power: 0 }
  }
}

function apply(state: Map<string, string>, edits: readonly Edit[]): void {
  for (const edit of edits) {
    const [key, value, end] = edit
    if (value !== undefined) state.set(key, value)
    else if (end === undefined) state.delete(key)
    else for (const held of [...state.keys()]) if (concerns(edit, held)) state.delete(held)
  }
}

function concerns([edited, , end]: Edit, key: string): boolean {
  return end === undefined ? edited === key : edited <= key && key < end
}

export interface Range {
  readonly gte?: string
  readonly gt?: string
  readonly lte?: string
  readonly lt?: string
  readonly reverse?: boolean
  readonly limit?: number
}

/** The entries that a scan of `state` yields. */
export function scanState(state: State, range: Range): [string, string][] {
  const { gte, gt, lte, lt, reverse = false, limit = Number.POSITIVE_INFINITY } = range
  const inside = ([key]: [string, string]): boolean =>
    (gte === undefined || key >= gte) &&
    (gt === undefined || key > gt) &&
    (lte === undefined || key <= lte) &&
    (lt === undefined || key < lt)
  const entries = [...state].filter(inside).sort(([a], [b]) => (a < b ? -1 : 1))
  if (reverse) entries.reverse()
  return entries.slice(0, limit)
}
