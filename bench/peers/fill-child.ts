/**
 * fill-child: what leveldb-driver.cpp's `fill` does, by varve: every added key with a putSync each, then every present one read.
 * The compiler of the host has seen the code before, on a small database. Arguments: key file, directory, bytes of write buffer
 * and cache. Prints milliseconds.
 */
import { join } from 'node:path'
import { perform } from '../calls.ts'
import { settle } from '../measurement.ts'
import { VarveSubject } from '../varve-subject.ts'
import { WorkMaker } from './work.ts'

const WARM_UP_ENTRIES = 20_000

const [keyFile, directory, writeBufferBytes, cacheBytes] = process.argv.slice(2)
const maker = new WorkMaker(keyFile)
const options = { writeBufferBytes: Number(writeBufferBytes), cacheBytes: Number(cacheBytes), isDurable: false }

async function run(path: string, entriesMax: number): Promise<{ fillMs: number; readMs: number }> {
  const heading = { name: '', title: '' }
  const writes = maker.make({ ...heading, call: 'putSync', source: 'added', operations: maker.count(entriesMax) }, 1)
  const reads = maker.make({ ...heading, call: 'getSync', source: 'present', operations: maker.probes }, 1)
  const subject = await VarveSubject.open(path, options)
  const startMs = performance.now()
  await perform('putSync', subject, writes)
  const fillMs = performance.now() - startMs
  await settle(path)
  const readStartMs = performance.now()
  const { count } = await perform('getSync', subject, reads)
  const readMs = performance.now() - readStartMs
  if (entriesMax > WARM_UP_ENTRIES && count !== maker.probes) throw new Error('a key is missing')
  await subject.close()
  return { fillMs, readMs }
}

await run(join(directory, 'warm-up'), WARM_UP_ENTRIES)
console.log(JSON.stringify(await run(join(directory, 'data'), Number.POSITIVE_INFINITY)))
