/**
 * The thread of the benchmark: attaches, reads every key once, and then, each time it is told, random keys for a while.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Prng } from '../../src/base/prng.ts'
import { attach, type DBReader, type ShareHandle } from '../../src/public/index.ts'

/** Reads between two looks at the clock. */
const CHUNK = 500

export interface Start {
  readonly handle: ShareHandle
  readonly keys: number
  readonly seed: number
}

export function keyOf(i: number): string {
  return `${i}`.padStart(16, '0')
}

function readFor(
  reader: DBReader,
  keys: readonly string[],
  prng: Prng,
  durationMs: number,
): { reads: number; ms: number } {
  const start = performance.now()
  let reads = 0
  let ms = 0
  while (ms < durationMs) {
    for (let i = 0; i < CHUNK; i++) {
      if (reader.getSync(keys[prng.below(keys.length)]) === undefined) throw new Error('a key is missing')
    }
    reads += CHUNK
    ms = performance.now() - start
  }
  return { reads, ms }
}

if (parentPort !== null) {
  const port = parentPort
  const { handle, keys: count, seed } = workerData as Start
  const keys = Array.from({ length: count }, (_, i) => keyOf(i))
  const prng = new Prng(seed)
  const reader = await attach(handle, { blockCacheBytes: 128 * 1024 * 1024 })
  for (const key of keys) reader.getSync(key)
  readFor(reader, keys, prng, 500)
  port.postMessage('ready')
  port.on('message', (durationMs: number) => port.postMessage(readFor(reader, keys, prng, durationMs)))
}
