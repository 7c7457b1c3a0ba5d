/**
 * What an earlier version of varve has left is read by this one: the directory of a killed process (tables, and a log with batches, range
 * deletes and markers), a backup, and the dump of a MemTable. testdata/earlier/make.mjs made them, and says with which version.
 */
import assert from 'node:assert/strict'
import { cpSync, createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { restore } from '../../src/admin/restore.ts'
import { verify } from '../../src/admin/verify.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { testdata } from '../support/paths.ts'
import { withDirectory } from './engines.ts'

const decoder = new TextDecoder()
const content: readonly (readonly [string, string])[] = JSON.parse(
  readFileSync(testdata('earlier', 'content.json'), 'utf8'),
)

async function contentOf(directory: string, options: Options): Promise<string[][]> {
  await using db = await open(directory, { createIfMissing: false, ...options })
  assert.deepEqual(db.recoveryInfo.discarded, [])
  const entries: string[][] = []
  for await (const [key, value] of db.scan()) entries.push([decoder.decode(key), decoder.decode(value)])
  const values = await db.getMany(entries.map(([key]) => key))
  assert.deepEqual(
    values.map((value) => decoder.decode(value)),
    entries.map(([, value]) => value),
  )
  if (options.readOnly !== true) await db.compactRange()
  return entries
}

async function findingsIn(directory: string): Promise<readonly object[]> {
  return (await verify(directory)).findings.filter(({ severity }) => severity !== 'note')
}

test('a directory that an earlier version left when it was killed opens with all that it held', async () => {
  await withDirectory(async (directory) => {
    const killed = join(directory, 'killed')
    cpSync(testdata('earlier', 'killed'), killed, { recursive: true })
    assert.deepEqual(await findingsIn(killed), [])
    const openings: readonly Options[] = [{ readOnly: true }, { recovery: 'strict' }, {}]
    for (const options of openings) assert.deepEqual(await contentOf(killed, options), content)
    assert.deepEqual(await findingsIn(killed), [])
  })
})

test('a backup that an earlier version made is restored', async () => {
  await withDirectory(async (directory) => {
    const restored = join(directory, 'restored')
    await restore(createReadStream(testdata('earlier', 'backup')), restored)
    assert.deepEqual(await findingsIn(restored), [])
    assert.deepEqual(await contentOf(restored, {}), content)
  })
})

test('the dump of a MemTable that an earlier version made is decoded, and encoded as it was', () => {
  const bytes = readFileSync(testdata('earlier', 'memtable'))
  const table = MemTable.decode(bytes)
  assert.ok(table.length > 0)
  assert.deepEqual(Buffer.from(table.encode()), bytes)
})
