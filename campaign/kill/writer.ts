/**
 * A program to be killed: opens the database, finds out how far the last life came, and writes numbered batches until it is
 * killed. After each acknowledged batch it tells its number, in eight digits and a line feed, on descriptor 3.
 *
 *   writer ENGINE DIRECTORY LEVEL WRITE_BUFFER_BYTES SEED ranges|keys
 *
 * Some batches are written one by one, some as a burst without waiting, some synchronously. Of an engine that makes the writes
 * of a burst in any order, nothing could be told of the batches before the last that is there: it gets none.
 */
import { mkdirSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Prng } from '../../src/base/prng.ts'
import { type EngineName, type Level, openEngine } from '../engines/engine.ts'
import { COUNTERS, digits, makeBatch } from './batches.ts'

/** More would make directories that take longer to check than to fill. */
const BYTES_PER_MS = 2000

const [name, directory, level, writeBufferBytes, seed, deletes] = process.argv.slice(2)
const prng = new Prng(Number(seed))
mkdirSync(directory, { recursive: true })
const engine = await openEngine(name as EngineName, directory, {
  writeBufferBytes: Number(writeBufferBytes),
  rangeDeletes: deletes === 'ranges',
})
const last = await engine.get(COUNTERS[0])
let next = last === undefined ? 0 : Number(last) + 1

/** The parent reads as it comes; if it is behind, a later number says the same and more. */
function tell(i: number): void {
  try {
    writeSync(3, `${digits(i)}\n`)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EAGAIN') throw error
  }
}

async function writeSome(): Promise<number> {
  const first = next
  const how = prng.below(3)
  const count = how === 1 ? 1 : 1 + prng.below(40)
  let bytes = 0
  const burst: Promise<void>[] = []
  for (; next < first + count; next++) {
    const i = next
    const batch = makeBatch(i)
    bytes += batch.puts.reduce((sum, [key, value]) => sum + key.length + value.length, 0)
    if (how === 2 && engine.writeSync !== undefined) {
      engine.writeSync(batch, level as Level)
      tell(i)
      continue
    }
    const written = engine.write(batch, level as Level).then(() => tell(i))
    if (how === 0 && engine.keepsOrder) burst.push(written)
    else await written
  }
  await Promise.all(burst)
  return bytes
}

const startMs = performance.now()
for (let bytes = 0; ; ) {
  bytes += await writeSome()
  const aheadMs = bytes / BYTES_PER_MS - (performance.now() - startMs)
  if (aheadMs > 1) await sleep(aheadMs)
}
