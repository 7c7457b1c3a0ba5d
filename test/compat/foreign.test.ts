/**
 * LevelDB databases of programs that changed LevelDB: what varve cannot read is named, and nothing is changed.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { nodeEnvironment, open } from '../../src/public/index.ts'
import { openLevel, openVarve, withDirectory } from './engines.ts'

function filesIn(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name !== 'LOCK')
  return names.map((name) => `${name} ${readFileSync(join(directory, name), 'hex')}`)
}

test('a database in the order of Chrome’s IndexedDB is refused by the name of its order, as LevelDB refuses it', async () => {
  await withDirectory(async (directory) => {
    const comparator = { name: 'idb_cmp1', compare: (a: Uint8Array, b: Uint8Array): number => Buffer.compare(b, a) }
    const db = await open(directory, { comparator, workers: 0 })
    await db.put('a', '1')
    await db.close()
    const before = filesIn(directory)
    const refusal = { code: 'INVALID_ARGUMENT', message: /ordered by idb_cmp1, not by leveldb\.BytewiseComparator/ }
    await assert.rejects(open(directory), refusal)
    await assert.rejects(open(directory, { readOnly: true }), refusal)
    assert.deepEqual(filesIn(directory), before)
    await assert.rejects(openLevel(directory))
  })
})

test('tables that Minecraft compressed with zlib are named, by every read and by compaction, and kept', async () => {
  await withDirectory(async (directory) => {
    // Minecraft's zlib has the type that LevelDB later gave to zstd.
    const minecraft = nodeEnvironment()
    const zlib = { compress: (bytes: Uint8Array) => new Uint8Array(deflateSync(bytes)), uncompress: () => undefined }
    const world = { ...minecraft, files: minecraft.files, clock: minecraft.clock, codecs: { zstd: zlib } }
    const environment = Object.assign(Object.create(minecraft), world)
    const writer = await openVarve(directory, { environment, compression: 'zstd' })
    for (let i = 0; i < 50; i++) await writer.db.put(`chunk${i}`, 'stone '.repeat(50))
    await writer.close()
    const tables = readdirSync(directory).filter((name) => name.endsWith('.ldb'))
    const unreadable = { code: 'NOT_SUPPORTED', message: /compressed with zlib, as in Minecraft's LevelDB/ }
    const reader = await open(directory, { readOnly: true })
    await assert.rejects(reader.get('chunk7'), unreadable)
    assert.throws(() => [...reader.scanSync()], unreadable)
    await reader.close()
    const db = await open(directory, { workers: 0 })
    await assert.rejects(db.compactRange(), unreadable)
    await db.put('chunk7', 'dirt')
    assert.equal(Buffer.from((await db.get('chunk7')) ?? []).toString(), 'dirt')
    await db.close()
    for (const name of tables) assert.ok(readdirSync(directory).includes(name), `${name} stays`)
  })
})
