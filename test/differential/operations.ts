/**
 * One seeded list of operations for every engine, as plain data: what is written, read, held and reopened, and in what order.
 * Keys and values are bytes, drawn so that keys share prefixes, contain zeros and 0xff, or are empty, and come again.
 */
import type { Prng } from '../../src/base/prng.ts'

export type Bytes = Uint8Array<ArrayBuffer>

/** A put; without a value a delete; with an end a delete of all keys from `key` on and before it. */
export interface Edit {
  readonly key: Bytes
  readonly value?: Bytes
  readonly end?: Bytes
}

export interface Bounds {
  readonly gte?: Bytes
  readonly lt?: Bytes
  readonly reverse?: boolean
  readonly limit?: number
}

export type Operation =
  | { readonly type: 'write'; readonly edits: readonly Edit[]; readonly isSync: boolean }
  | { readonly type: 'get'; readonly key: Bytes; readonly snapshot: number }
  | { readonly type: 'scan'; readonly bounds: Bounds; readonly snapshot: number }
  | { readonly type: 'openScan'; readonly bounds: Bounds }
  | { readonly type: 'stepScan'; readonly which: number; readonly count: number }
  | { readonly type: 'compact'; readonly from: Bytes; readonly to: Bytes }
  | { readonly type: 'snapshot' | 'closeSnapshot' | 'closeScan' | 'flush' | 'compactAll' | 'reopen' }

const SPECIAL: readonly number[] = [0, 1, 0x61, 0xfe, 0xff]

function ascii(text: string): Bytes {
  return new TextEncoder().encode(text)
}

function drawnKey(prng: Prng): Bytes {
  if (prng.below(6) === 0) return Uint8Array.from({ length: prng.below(5) }, () => SPECIAL[prng.below(SPECIAL.length)])
  return ascii(`user/${prng.below(8)}/${String(prng.below(70)).padStart(4, '0')}`)
}

/** Never the same twice; some are compressible, some are longer than a block, some are empty. */
function drawnValue(prng: Prng, number: number): Bytes {
  const kind = prng.below(12)
  if (kind === 0) return new Uint8Array(0)
  if (kind === 1) return Uint8Array.from({ length: 200 + prng.below(5000) }, () => prng.below(256))
  return ascii(`${number} `.repeat(1 + prng.below(30)))
}

function drawnPair(prng: Prng): [Bytes, Bytes] {
  const [a, b] = [drawnKey(prng), drawnKey(prng)]
  return Buffer.compare(a, b) <= 0 ? [a, b] : [b, a]
}

/** Most range deletes are short, or there would be nothing to read. */
function drawnRange(prng: Prng): [Bytes, Bytes] {
  if (prng.below(8) === 0) return drawnPair(prng)
  const at = prng.below(8)
  const first = prng.below(70)
  return [
    ascii(`user/${at}/${String(first).padStart(4, '0')}`),
    ascii(`user/${at}/${String(first + prng.below(12)).padStart(4, '0')}`),
  ]
}

function drawnEdit(prng: Prng, number: number): Edit {
  const kind = prng.below(14)
  if (kind === 0) {
    const [key, end] = drawnRange(prng)
    return { key, end }
  }
  return kind < 4 ? { key: drawnKey(prng) } : { key: drawnKey(prng), value: drawnValue(prng, number) }
}

function drawnBounds(prng: Prng): Bounds {
  const [gte, lt] = drawnPair(prng)
  return {
    ...(prng.below(3) > 0 && { gte }),
    ...(prng.below(3) > 0 && { lt }),
    ...(prng.below(3) === 0 && { reverse: true }),
    ...(prng.below(3) === 0 && { limit: 1 + prng.below(20) }),
  }
}

function drawnOperation(prng: Prng, number: number): Operation {
  const kind = prng.below(100)
  const isSync = prng.below(2) === 0
  if (kind < 58) return { type: 'write', edits: [drawnEdit(prng, number)], isSync }
  if (kind < 68) {
    const edits = Array.from({ length: prng.below(16) }, (_, i) => drawnEdit(prng, number * 16 + i))
    return { type: 'write', edits, isSync }
  }
  if (kind < 78) return { type: 'get', key: drawnKey(prng), snapshot: prng.below(4) }
  if (kind < 84) return { type: 'scan', bounds: drawnBounds(prng), snapshot: prng.below(4) }
  if (kind < 86) return { type: 'openScan', bounds: drawnBounds(prng) }
  if (kind < 90) return { type: 'stepScan', which: prng.below(4), count: 1 + prng.below(30) }
  if (kind < 93) return { type: 'snapshot' }
  if (kind < 95) return { type: 'closeSnapshot' }
  if (kind < 96) return { type: 'closeScan' }
  if (kind < 97) {
    const [from, to] = drawnPair(prng)
    return { type: 'compact', from, to }
  }
  return { type: 'flush' }
}

/** @param reopenings how often it is closed and opened again, evenly spread; between every other two all is compacted */
export function drawnOperations(prng: Prng, count: number, reopenings: number): Operation[] {
  const every = Math.ceil(count / (reopenings + 1))
  return Array.from({ length: count }, (_, i): Operation => {
    if (i % every === every - 1) return { type: 'reopen' }
    if (i % (2 * every) === Math.floor(every / 2)) return { type: 'compactAll' }
    return drawnOperation(prng, i)
  })
}
