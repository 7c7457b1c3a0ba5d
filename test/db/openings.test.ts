/**
 * What closed databases leave behind: descriptors, threads, memory.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Environment, WritableFile } from '../../src/base/environment.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { open } from '../../src/public/index.ts'
import { withDirectory } from '../compat/engines.ts'

/** For threads to end. */
const PATIENCE_MS = 30_000

const MIB = 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Node's, but nothing is synced: a thousand openings would take minutes. */
function unsynced(): Environment {
  const environment = nodeEnvironment()
  const { files } = environment
  const createWritable = files.createWritable.bind(files)
  files.syncDirectory = () => {}
  files.createWritable = (path): WritableFile => {
    const file = createWritable(path)
    file.sync = () => {}
    return file
  }
  return environment
}

/** What a stack still had is gone. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10))
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

async function cycle(directory: string, environment: Environment, round: number): Promise<void> {
  const db = await open(directory, { environment, workers: 0, writeBufferBytes: 4 * MIB, blockCacheBytes: MIB })
  const value = new Uint8Array(10_000).fill(round)
  for (let i = 0; i < 5; i++) db.putSync(`key${i}`, value)
  const scan = db.scanSync()
  scan.next()
  db.snapshot()
  assert.equal(db.getSync('key3')?.[0], round & 255)
  await db.close()
}

const noProc = existsSync('/proc/self/fd') ? false : 'there is no /proc here'

interface Held {
  readonly descriptors: number
  readonly rss: number
  readonly heap: number
  /** Buffers beside the heap. */
  readonly shared: number
}

/** What is left behind, not what the collector has not come to yet: memory beside the heap is freed in the background. */
async function held(): Promise<Held> {
  let [heap, shared] = [Infinity, Infinity]
  for (let i = 0; i < 5; i++) {
    await turns()
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    heap = Math.min(heap, heapUsed)
    shared = Math.min(shared, arrayBuffers)
  }
  return { descriptors: descriptors(), rss: process.memoryUsage().rss, heap, shared }
}

/** The lower one of two. */
function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[(numbers.length - 1) >> 1]
}

/**
 * By then V8's young generation is as large as it gets, and malloc keeps most of what it will of freed memory, some 40 MiB (measured to
 * 7000 openings: 3 MiB more from the 2000th on). A leak grows in every stretch, in what V8 counts, or, beyond what malloc still has, in
 * what is resident; that other growth comes in few steps.
 */
const WARM_ROUNDS = 400
const STRETCH_ROUNDS = 100

test('a thousand openings leave descriptors and memory where four hundred left them', { skip: noProc }, async (t) => {
  await withDirectory(async (directory) => {
    const environment = unsynced()
    const looks: Held[] = []
    for (let round = 1; round <= 1000; round++) {
      await cycle(directory, environment, round)
      if (round < WARM_ROUNDS || round % STRETCH_ROUNDS !== 0) continue
      const now = await held()
      t.diagnostic(`${round}: ${JSON.stringify(now)}`)
      looks.push(now)
    }
    const [first, last] = [looks[0], looks[looks.length - 1]]
    assert.equal(last.descriptors, first.descriptors)
    const grown = looks.slice(1).map(({ rss }, i) => rss - looks[i].rss)
    assert.ok(median(grown) < 2 * MIB, `${grown} bytes more resident, by stretch`)
    assert.ok(last.rss < first.rss + 32 * MIB, `${last.rss} bytes resident, ${first.rss} before`)
    assert.ok(last.heap < first.heap + 2 * MIB, `${last.heap} bytes reached, ${first.heap} before`)
    assert.ok(last.shared < first.shared + MIB, `${last.shared} bytes of buffers, ${first.shared} before`)
  })
})

test('threads of forty openings leave no descriptor behind', { skip: noProc }, async () => {
  await withDirectory(async (directory) => {
    const environment = unsynced()
    let before = 0
    for (let round = 0; round < 40; round++) {
      const db = await open(directory, { environment, workers: 2, writeBufferBytes: 4096 })
      for (let i = 0; i < 3; i++) await db.put(`key${i}`, 'x'.repeat(2000))
      await db.close()
      if (round === 0) before = await settled()
    }
    // On a busy machine the last threads, or the first, take longer than it seems; what is left behind never goes.
    const deadline = performance.now() + PATIENCE_MS
    while (descriptors() > before && performance.now() < deadline) await settled()
    assert.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} after the first opening`)
  })
})

/** Threads end after they were told to. */
async function settled(): Promise<number> {
  let last = descriptors()
  for (let same = 0; same < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const now = descriptors()
    same = now === last ? same + 1 : 0
    last = now
  }
  return last
}

/** Bytes that JavaScript reaches, of memory that is nobody's but its own. */
function reachableBytes(): number {
  collectGarbage()
  collectGarbage()
  const { arrayBuffers } = process.memoryUsage()
  return arrayBuffers
}

test('a large value that was written, or read, is not kept in memory', async () => {
  await withDirectory(async (directory) => {
    const options = { workers: 0, writeBufferBytes: MIB, blockCacheBytes: MIB, compression: 'none' } as const
    const db = await open(directory, options)
    // Of one block, which a lookup reads on its way.
    db.putSync('a', '1')
    db.putSync('large', new Uint8Array(100 * MIB))
    db.putSync('b', '2')
    await db.flush()
    await turns()
    const before = reachableBytes()
    assert.equal(db.getSync('large')?.length, 100 * MIB)
    assert.equal(db.getSync('b')?.length, 1)
    await turns()
    assert.ok(reachableBytes() - before < 50 * MIB, 'the block')
    await db.put('large', new Uint8Array(100 * MIB))
    await db.flush()
    await turns()
    assert.ok(reachableBytes() - before < 50 * MIB, 'the batch')
    await db.close()
  })
})
