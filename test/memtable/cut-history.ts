/**
 * A history of calls on a MemTable of which some do not end: V8 cuts them off (a vm's timeout, Ctrl-C in a REPL), or the stack ends in
 * their midst. What a call wrote that returned is there; what another one was to write is there as a whole, or not at all.
 */
import assert from 'node:assert/strict'
import { Prng } from '../../src/base/prng.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableOptions } from '../../src/memtable/memtable-options.ts'

/** Of a key: its newest value, or that it is deleted; and how many versions there are, and how many of them are tombstones. */
type Content = ReadonlyMap<string, string | undefined>

interface State {
  readonly content: Content
  /** Of the newest version of each key, which a range does not change. */
  readonly valueBytes: ReadonlyMap<string, number>
  readonly entries: number
  readonly tombstones: number
  readonly ranges: readonly (readonly [string, string])[]
}

type Op =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'putMany'; readonly pairs: readonly (readonly [string, string | undefined])[] }
  | { readonly kind: 'deleteRange'; readonly start: string; readonly end: string }

const NOTHING: State = { content: new Map(), valueBytes: new Map(), entries: 0, tombstones: 0, ranges: [] }
const KEYS: readonly string[] = Array.from({ length: 300 }, (_, i) => keyOf(i))
const PROBES: readonly string[] = [...KEYS, 'a', 'k1', 'k9999', 'x']

/** Of all depths and widths: a node of four links, of ten, of sixteen and of more; ends of other keys; and some long ones. */
function keyOf(i: number): string {
  if (i % 50 === 49) return `long${i}`.padEnd(260 + i, 'k')
  if (i % 3 === 0) return `w${String.fromCharCode(33 + ((i * 37) % 90))}`
  return `k${'abcdefghijklmnopq'.slice(0, i % 18)}${i % 7}`
}

export class CutHistory {
  readonly table: MemTable
  state: State
  /** Sees what is published; none of a vector. */
  #reader: MemTable | undefined
  readonly #isLive: boolean
  /** The call that is under way, or did not end. */
  #op: Op | undefined
  #isRefusing: boolean
  /** The key of the last put: where a table goes on from. */
  #near: string
  readonly #prng: Prng
  /** Calls that were cut off, and tables that took no more writes. */
  cut: number
  torn: number

  constructor(options: MemTableOptions, seed: number) {
    this.cut = 0
    this.torn = 0
    this.table = MemTable.create({ capacityBytes: 1 << 21, ...options })
    this.state = NOTHING
    this.#isLive = options.representation !== 'vector'
    this.#reader = this.#attach()
    this.#op = undefined
    this.#near = ''
    this.#isRefusing = false
    this.#prng = new Prng(seed)
  }

  /** Only every other time: what others may see is stored in another way. */
  #attach(): MemTable | undefined {
    return this.#isLive && this.torn % 2 === 0 ? MemTable.attach(this.table.share()) : undefined
  }

  #below(limit: number): number {
    return this.#prng.next32() % limit
  }

  #key(): string {
    return KEYS[this.#below(KEYS.length)]
  }

  /** One call, which may not end. */
  step(): void {
    const kind = this.#below(20)
    if (kind < 9) this.#write({ kind: 'put', key: this.#key(), value: 'v'.repeat(this.#below(60)) })
    else if (kind < 11) this.#write({ kind: 'delete', key: this.#key() })
    else if (kind < 14) this.#write({ kind: 'putMany', pairs: this.#pairs() })
    else if (kind < 16) this.#deleteRange()
    else if (kind < 18) this.table.get(this.#key())
    else for (const _ of this.table.rangeScan(this.#key(), 'z')) if (this.#below(20) === 0) break
  }

  #pairs(): (readonly [string, string | undefined])[] {
    return Array.from({ length: 1 + this.#below(8) }, () => {
      return [this.#key(), this.#below(4) === 0 ? undefined : 'm'.repeat(this.#below(40))] as const
    })
  }

  #deleteRange(): void {
    const [start, end] = [this.#key(), this.#key()].sort()
    if (start === end) return
    try {
      this.#write({ kind: 'deleteRange', start, end })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'READ_ONLY') throw error
      // One was cut off before; a vector takes other writes.
      this.#op = undefined
      this.#isRefusing = true
    }
  }

  #write(op: Op): void {
    this.#op = op
    const { table } = this
    if (op.kind === 'put') table.put(op.key, op.value)
    else if (op.kind === 'delete') table.delete(op.key)
    else if (op.kind === 'putMany') table.putMany(op.pairs)
    else table.deleteRange(op.start, op.end)
    this.state = after(this.state, op)
    if (op.kind === 'put' && !op.key.endsWith('x')) this.#near = op.key
    this.#op = undefined
  }

  /** Look at everything, and go on with what is there. */
  check(what: string): void {
    const op = this.#op
    this.#op = undefined
    if (op === undefined) this.#checkState(this.state, what, true)
    else this.#checkCut(op, what)
    if (this.#isRefusing || this.table.memoryUsage > 1 << 20) this.#restart()
  }

  #checkCut(op: Op, what: string): void {
    this.cut++
    const whole = after(this.state, op)
    // The next write tells whether there can be one.
    const isWhole = differs(this.table, this.state) !== undefined
    if (isWhole) this.state = whole
    this.#checkState(this.state, `${what}, after ${op.kind}, which ${isWhole ? 'is' : 'is not'} there`, false)
    try {
      this.#write({ kind: 'put', key: `${this.#near}x`, value: what })
    } catch (error) {
      this.#op = undefined
      const { code, outcome } = error as { code?: unknown; outcome?: unknown }
      assert.deepEqual([code, outcome], ['READ_ONLY', 'not-written'], String(error))
      this.torn++
      this.#checkState(this.state, `${what}, torn`, true)
      this.#restart()
    }
    this.#checkState(this.state, `${what}, and a write`, true)
  }

  /** Frozen, it is what another thread, or the flush, gets to see. */
  #restart(): void {
    this.table.freeze()
    assert.equal(differs(MemTable.attach(this.table.share()), this.state), undefined, 'the frozen table')
    this.table.clear()
    this.#isRefusing = false
    this.state = NOTHING
    this.#reader = this.#attach()
  }

  #checkState(state: State, what: string, isPublished: boolean): void {
    assert.equal(differs(this.table, state), undefined, what)
    if (isPublished && this.#reader !== undefined)
      assert.equal(differs(this.#reader, state), undefined, `${what}, attached`)
    if (state.ranges.length === 0) {
      const decoded = MemTable.decode(this.table.encode(), { capacityBytes: 1 << 21 })
      assert.equal(
        differs(decoded, { ...state, entries: state.content.size, tombstones: deleted(state.content) }),
        undefined,
      )
    }
  }
}

function deleted(content: Content): number {
  return [...content.values()].filter((value) => value === undefined).length
}

function after(state: State, op: Op): State {
  const content = new Map(state.content)
  const valueBytes = new Map(state.valueBytes)
  let { entries, tombstones } = state
  if (op.kind === 'deleteRange') {
    for (const key of content.keys()) if (key >= op.start && key < op.end) content.set(key, undefined)
    return { ...state, content, ranges: [...state.ranges, [op.start, op.end]] }
  }
  const pairs = op.kind === 'putMany' ? op.pairs : [[op.key, op.kind === 'put' ? op.value : undefined] as const]
  for (const [key, value] of pairs) {
    content.set(key, value)
    valueBytes.set(key, value?.length ?? 0)
    entries++
    if (value === undefined) tombstones++
  }
  return { content, valueBytes, entries, tombstones, ranges: state.ranges }
}

/** In what a table is not what it should be. */
function differs(table: MemTable, { content, valueBytes, entries, tombstones, ranges }: State): string | undefined {
  const keys = [...content.keys()].sort()
  if (table.length !== keys.length) return `length ${table.length}, not ${keys.length}`
  if (table.entryCount !== entries) return `${table.entryCount} entries, not ${entries}`
  let bytes = 0
  for (const [key, valueLength] of valueBytes) bytes += key.length + valueLength
  for (const [start, end] of ranges) bytes += start.length + end.length
  if (table.sizeInBytes !== bytes) return `${table.sizeInBytes} bytes, not ${bytes}`
  if (table.tombstoneCount !== tombstones) return `${table.tombstoneCount} tombstones, not ${tombstones}`
  if (table.rangeTombstoneCount !== ranges.length) return `${table.rangeTombstoneCount} ranges, not ${ranges.length}`
  const forwards: string[] = []
  for (const entry of table.entries()) {
    const key = Buffer.from(entry.key).toString()
    const value = entry.type === 'value' ? Buffer.from(entry.value).toString() : undefined
    if (content.get(key) !== value) return `scan: ${key} is ${value}, not ${content.get(key)}`
    forwards.push(key)
  }
  if (forwards.join() !== keys.join()) return `keys ${forwards.join()}, not ${keys.join()}`
  const cursor = table.cursor()
  const backwards: string[] = []
  for (cursor.last(); cursor.valid; cursor.prev()) backwards.unshift(Buffer.from(cursor.key).toString())
  if (backwards.join() !== keys.join()) return `backwards ${backwards.join()}, not ${keys.join()}`
  for (const key of new Set([...PROBES, ...keys])) {
    const found = table.get(key)
    const isKnown = content.has(key) || ranges.some(([start, end]) => key >= start && key < end)
    const value = found?.type === 'value' ? Buffer.from(found.value).toString() : undefined
    if ((found !== undefined) !== isKnown || value !== content.get(key)) return `get ${key}: ${value}`
  }
  return undefined
}
