/**
 * A database that stays open for long: its MANIFEST is replaced before it is large, on worker threads as without, while copies are made,
 * and up to the moment of closing.
 */
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { restore } from '../../src/admin/restore.ts'
import { verify } from '../../src/admin/verify.ts'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { withDirectory } from '../compat/engines.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, entriesOf, openIn } from './directories.ts'

/** A MANIFEST of more than 1 KiB is long, and of more than four times what it began with. */
const OPTIONS: Options = { maxFileBytes: 4096 }

/** Edits, and the MANIFESTs that there were meanwhile. */
async function live(db: DB, rounds: number): Promise<Set<number>> {
  const manifests = new Set<number>()
  for (let round = 0; round < rounds; round++) {
    await db.put(`key/${round % 7}`, `${round}`)
    await db.flush()
    manifests.add(db.stats().manifestNumber)
  }
  return manifests
}

for (const workers of [0, 1, 2]) {
  test(`a MANIFEST is replaced while the database is open, and the old one removed: ${workers} threads`, async () => {
    await withDirectory(async (directory) => {
      const db = await open(directory, { ...OPTIONS, workers })
      const manifests = await live(db, 70)
      assert.ok(manifests.size > 2, `${manifests.size} MANIFESTs`)
      // Until the next flush is waited for, the last one's removal may be under way.
      await db.flush()
      const { manifestNumber, manifestBytes } = db.stats()
      const names = readdirSync(directory).filter((name) => name.startsWith('MANIFEST'))
      assert.deepEqual(names, [`MANIFEST-${String(manifestNumber).padStart(6, '0')}`])
      assert.equal(statSync(join(directory, names[0])).size, manifestBytes)
      const entries = entriesOf(db)
      assert.equal(entries.length, 7)
      await db.close()
      assert.deepEqual((await verify(directory)).findings, [])
      const again = await open(directory)
      assert.deepEqual(entriesOf(again), entries)
      await again.close()
    })
  })
}

for (const code of ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EIO'] as const) {
  test(`what is short, or fails, while a MANIFEST is made ready to take another's place ends nothing: ${code}`, async () => {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
    const db = await openIn(memory, { ...OPTIONS, environment, mergeAtRest: false })
    let failures = 0
    for (const [op, suffix] of [
      ['sync', 'MANIFEST'],
      ['create', 'dbtmp'],
      ['append', 'dbtmp'],
      ['sync', 'dbtmp'],
      ['sync-dir', ''],
    ] as const) {
      const manifest = db.stats().manifestNumber
      const isShort = (path: string): boolean =>
        suffix === 'MANIFEST'
          ? path.startsWith(suffix) && Number(path.slice(suffix.length + 1)) > manifest
          : path.endsWith(suffix)
      // Of syncs of the directory, those between the dbtmp and its new name.
      let isReady = suffix !== ''
      let failed = 0
      environment.setFaults((call) => {
        if (call.op === 'sync' && call.path.endsWith('dbtmp')) isReady = true
        if (!isReady || failed > 1 || call.op !== op || !isShort(call.path)) return undefined
        failed++
        isReady = suffix !== ''
        return { code }
      })
      await live(db, 250)
      failures += failed
      assert.equal(db.stats().poisonedBy, undefined, `${op} ${suffix}`)
      assert.ok(db.stats().manifestNumber > manifest, 'another one took its place later')
    }
    assert.ok(failures >= 5, `${failures} failures`)
    environment.setFaults(undefined)
    const entries = entriesOf(db)
    await db.close()
    assert.deepEqual((await verify(DIRECTORY, { environment: memory })).findings, [])
    const again = await openIn(memory)
    assert.deepEqual(entriesOf(again), entries)
    await again.close()
  })
}

test('CURRENT whose new name a failed sync of the directory has lost is given it once more, before anything is removed', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { ...OPTIONS, environment, mergeAtRest: false })
  let isRenamed = false
  let failures = 0
  environment.setFaults(({ op, path }) => {
    if (op === 'rename' && path.endsWith('dbtmp')) isRenamed = true
    if (op !== 'sync-dir' || !isRenamed || failures > 0) return undefined
    failures++
    memory.files.tree.pending = []
    return { code: 'EIO' }
  })
  const manifests = await live(db, 70)
  await db.flush()
  assert.deepEqual([failures, db.stats().poisonedBy], [1, undefined])
  assert.ok(manifests.size > 1)
  const again = await openIn(memory.crashImage(0, new Prng(1)))
  assert.deepEqual(entriesOf(again), entriesOf(db))
  await Promise.all([again.close(), db.close()])
})

test('a backup and a checkpoint in the midst of which the MANIFEST is replaced are of one moment', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, OPTIONS)
  await live(db, 5)
  await db.put('in the log', 'x')
  const expected = entriesOf(db)
  const chunks: Uint8Array[] = []
  const manifests = new Set<number>()
  let isCopied = false
  for await (const chunk of db.backup()) {
    chunks.push(chunk)
    const checkpoint = isCopied ? undefined : db.checkpoint('/copy')
    for (const number of await live(db, 30)) manifests.add(number)
    await checkpoint
    isCopied = true
  }
  assert.ok(manifests.size > 2, `${manifests.size} MANIFESTs`)
  const copy = new MemoryEnvironment()
  await restore(chunks, DIRECTORY, { environment: copy })
  assert.deepEqual((await verify(DIRECTORY, { environment: copy })).findings, [])
  const restored = await openIn(copy)
  assert.deepEqual(entriesOf(restored), expected)
  assert.deepEqual((await verify('/copy', { environment: memory })).findings, [])
  const copied = await open('/copy', { workers: 0, environment: memory })
  assert.deepEqual(entriesOf(copied), expected)
  await Promise.all([db.close(), restored.close(), copied.close()])
})

test('a database that is closed while its MANIFEST is replaced is whole', async () => {
  await withDirectory(async (directory) => {
    let replaced = 0
    // How many edits there are is up to the threads, which on a busy machine take many flushes together.
    for (let round = 0; round < 6 || replaced < 2; round++) {
      assert.ok(round < 100, `${replaced} were replaced`)
      const db = await open(directory, { ...OPTIONS, workers: 2, mergeAtRest: false, level0CompactionTrigger: 2 })
      const first = db.stats().manifestNumber
      await live(db, 14 + (round % 5) + 2 * Math.max(0, round - 10))
      await db.put('round', `${round}`)
      db.compactRange().catch(() => {})
      if (round % 2 === 0) await db.flush()
      replaced += Number(db.stats().manifestNumber !== first)
      await db.close()
      const again = await open(directory, { readOnly: true })
      assert.ok(entriesOf(again).includes(`round=${round}`))
      await again.close()
    }
    assert.deepEqual((await verify(directory)).findings, [])
  })
})
