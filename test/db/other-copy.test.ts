/**
 * Several copies of varve in one program, as a bundler makes them that gives each entry its own (the routes of a web framework), and one
 * database that they share, kept where all of them find it.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import { attach, type DB, type DBReader, open } from '../../src/public/index.ts'

const outer = mkdtempSync(join(tmpdir(), 'varve-other-copy-'))
after(() => rmSync(outer, { recursive: true, force: true }))

const OtherBatch = await otherCopy()

/** The class, from a module that is loaded a second time. */
async function otherCopy(): Promise<typeof WriteBatch> {
  const module = (await import(new URL('../../src/batch/write-batch.js?copy', import.meta.url).href)) as {
    WriteBatch: typeof WriteBatch
  }
  assert.notEqual(module.WriteBatch, WriteBatch)
  return module.WriteBatch
}

const keys = (db: DB | DBReader): string => [...db.keysSync()].map((key) => new TextDecoder().decode(key)).join(' ')

test('a database, and a thread that is attached to it, take the batches that another copy of varve made', async () => {
  const db = await open(join(outer, 'db'))
  await db.write(new OtherBatch().put('a', '1').put('b', '2').put('c', '3').put('d', '4').delete('a'))
  assert.equal(keys(db), 'b c d')
  db.writeSync(new OtherBatch().deleteRange('b', 'd').put('é', new Uint8Array(70_000)))
  assert.equal(keys(db), 'd é')
  assert.equal(db.getSync('é')?.length, 70_000)
  const reader = await attach(db.share())
  await reader.write(new OtherBatch().put('e', '').delete('é'))
  assert.equal(keys(reader), 'd e')
  await reader.close()
  await db.close()
})

test('what is no batch is refused, whatever it calls encoded', async () => {
  const db = await open(join(outer, 'refused'))
  const sound = new WriteBatch().put('a', '1').encoded().slice()
  const wrong: unknown[] = [undefined, null, 7, 'batch', [], {}, { encoded: sound }]
  for (const encoded of [undefined, 'text', sound.subarray(1), sound.subarray(0, -1), new Uint8Array(0)])
    wrong.push({ encoded: () => encoded })
  for (const batch of wrong) {
    const refusal = { code: 'INVALID_ARGUMENT', message: 'write takes a WriteBatch' }
    await assert.rejects(db.write(batch as WriteBatch), refusal)
    assert.throws(() => db.writeSync(batch as WriteBatch), refusal)
  }
  assert.equal(keys(db), '')
  await db.close()
})
