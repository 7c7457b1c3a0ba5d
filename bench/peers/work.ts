/**
 * Work: the keys and values of one step, taken from the key file that all peers of a scene share. All of it is made before the
 * clock starts.
 */
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'
import type { Work } from '../calls.ts'
import { KeyFile, type Keys } from '../memtable/key-file.ts'
import type { Step } from './scenes.ts'

const THETA = 0.99
const RANGE_END = 0xff

export class WorkMaker {
  readonly #file: KeyFile
  readonly #values: Map<number, Bytes> = new Map()

  constructor(path: string) {
    this.#file = KeyFile.read(path)
  }

  /** Of the keys that there are, so many at most. */
  count(most: number): number {
    return Math.min(most, this.#file.added.count)
  }

  get probes(): number {
    return this.#file.present.count
  }

  /** @param seed of what is drawn; the same for all peers of a round */
  make(
    { call, source, operations, rangeEntries, prefixBytes, readShare = 0, isReverse = false }: Step,
    seed: number,
  ): Work {
    const { added, present, missing } = this.#file
    const prng = new Prng(seed)
    const timed = { keys: [] as Bytes[], values: [] as Bytes[] }
    const order = orderOf(source, added, operations, prng)
    const from = source === 'present' ? present : source === 'missing' ? missing : added
    // A whole scan is one call, whatever it reads.
    const calls = call.startsWith('scan') ? 0 : operations
    for (let i = 0; i < calls; i++) {
      const index = order === undefined ? i % from.count : order[i]
      timed.keys.push(keyAt(from, index))
      timed.values.push(this.#valueOf(index))
    }
    const reads = Uint8Array.from(timed.keys, () => (prng.next32() / 2 ** 32 < readShare ? 1 : 0))
    if (prefixBytes === undefined) {
      return { timed, isReverse, reads, ...(rangeEntries === undefined ? {} : { rangeEntries }) }
    }
    const begins = timed.keys.map((key) => key.slice(0, prefixBytes))
    return { timed: { keys: begins, values: [] }, isReverse: false, limits: begins.map(successorOf) }
  }

  #valueOf(index: number): Bytes {
    const { values, valueBytes } = this.#file
    const offset = this.#file.valueOffset(index)
    const known = this.#values.get(offset)
    if (known !== undefined) return known
    const value = values.subarray(offset, offset + valueBytes)
    this.#values.set(offset, value)
    return value
  }
}

/** Indexes of added keys; undefined for keys in the order of the file. */
function orderOf(source: Step['source'], added: Keys, count: number, prng: Prng): Uint32Array | undefined {
  if (source === 'zipfian') return zipfianRanks(added.count, count, prng)
  if (source !== 'ascending') return undefined
  const indexes = Uint32Array.from({ length: Math.min(count, added.count) }, (_, i) => i)
  return indexes.sort((a, b) => Buffer.compare(keyAt(added, a), keyAt(added, b)))
}

function keyAt({ bytes, offsets }: Keys, i: number): Bytes {
  return bytes.subarray(offsets[i], offsets[i + 1])
}

/** The least string above all that begin so. @requires a last byte that has a successor, as text has */
function successorOf(prefix: Bytes): Bytes {
  const limit = prefix.slice()
  const last = limit.length - 1
  if (limit[last] === RANGE_END) throw new Error('the prefix ends with the last byte that there is')
  limit[last]++
  return limit
}

/** Ranks below `count`, as YCSB draws them; rank 0 is the one that comes most often. */
function zipfianRanks(count: number, draws: number, prng: Prng): Uint32Array {
  let zeta = 0
  for (let i = 1; i <= count; i++) zeta += 1 / i ** THETA
  const zeta2 = 1 + 0.5 ** THETA
  const eta = (1 - (2 / count) ** (1 - THETA)) / (1 - zeta2 / zeta)
  return Uint32Array.from({ length: draws }, () => {
    const u = prng.next32() / 2 ** 32
    if (u * zeta < 1) return 0
    if (u * zeta < zeta2) return 1
    return Math.min(count - 1, Math.floor(count * (eta * u - eta + 1) ** (1 / (1 - THETA))))
  })
}
