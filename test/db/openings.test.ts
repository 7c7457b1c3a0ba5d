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

test('a thousand openings leave descriptors and memory where a hundred left them', { skip: noProc }, async (t) => {
  await withDirectory(async (directory) => {
    const environment = unsynced()
    let before = { descriptors: 0, rss: 0, shared: 0 }
    for (let round = 1; round <= 1000; round++) {
      await cycle(directory, environment, round)
      if (round !== 100 && round !== 1000) continue
      // What is left behind, not what the collector has not come to yet: memory beside the heap is freed in the background.
      collectGarbage()
      await new Promise((resolve) => setImmediate(resolve))
      collectGarbage()
      const now = {
        descriptors: descriptors(),
        rss: process.memoryUsage().rss,
        shared: process.memoryUsage().arrayBuffers,
      }
      t.diagnostic(`${round}: ${JSON.stringify(now)}`)
      if (round === 1000) {
        assert.equal(now.descriptors, before.descriptors)
        assert.ok(now.rss < before.rss + 64 * MIB, `${now.rss} bytes resident, ${before.rss} before`)
        assert.ok(now.shared < 100 * MIB, `${now.shared} bytes of buffers`)
      }
      before = now
    }
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
    // On a busy machine the last threads take longer than it seems; what is left behind never goes.
    const deadline = performance.now() + PATIENCE_MS
    while (descriptors() !== before && performance.now() < deadline) await settled()
    assert.equal(descriptors(), before)
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
