/**
 * Compressed databases: what LevelDB compressed with its own Snappy reads in varve, on every level, and what varve
 * compressed reads in LevelDB; and one database may hold tables of all kinds.
 */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32c } from '../../src/base/crc32c.ts'
import { Prng } from '../../src/base/prng.ts'
import { nodeCodecs } from '../../src/env/node-codecs.ts'
import { open } from '../../src/public/index.ts'
import { testdata } from '../support/paths.ts'
import {
  ascii,
  contentIn,
  expectedContent,
  filesOf,
  openLevel,
  openVarve,
  randomWrites,
  type Write,
  withDirectory,
} from './engines.ts'

const KIB = 1024
const noZstd = nodeCodecs().zstd === undefined ? `Node ${process.version} has no zstd` : false

/** Values of two words each, over and over; some are deleted again. */
function proseWrites(prng: Prng, count: number): Write[] {
  return Array.from({ length: count }, () => {
    const key = ascii(`lake/${String(prng.below(600)).padStart(5, '0')}`)
    return prng.below(8) === 0 ? [[key]] : [[key, ascii(`silt ${prng.below(50)} `.repeat(1 + prng.below(60)))]]
  })
}

function tableBytes(directory: string): number {
  return filesOf(directory, '.ldb').reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

test('LevelDB reads what varve compressed with snappy, and the other way round, in turns', async () => {
  await withDirectory(async (directory) => {
    const prng = new Prng(1)
    const options = { writeBufferBytes: 64 * KIB, compression: 'snappy' } as const
    const written: Write[] = []
    for (let round = 0; round < 3; round++) {
      for (const openEngine of [openVarve, openLevel]) {
        const writes = [...proseWrites(prng, 500), ...randomWrites(prng, 100, 2000)]
        const engine = await openEngine(directory, options)
        for (const write of writes) await engine.write(write)
        written.push(...writes)
        assert.deepEqual(await engine.content(), expectedContent(written))
        await engine.close()
      }
    }
    assert.deepEqual(await contentIn(openVarve, directory), expectedContent(written))
  })
})

test('varve reads a database that LevelDB compacted into several levels, with snappy, and goes on with it', async () => {
  const { entries, crc32c: checksum } = JSON.parse(readFileSync(testdata('levels', 'snappy', 'content.json'), 'utf8'))
  await withDirectory(async (directory) => {
    cpSync(testdata('levels', 'snappy'), directory, { recursive: true })
    const db = await open(directory, { readOnly: true })
    assert.ok(new Set(db.stats().tables.map(({ level }) => level)).size >= 2, 'there are several levels')
    await db.close()
    const varve = await openVarve(directory, { compression: 'snappy' })
    const content = await varve.content()
    const lines = new TextEncoder().encode(content.map((line) => `${line}\n`).join(''))
    assert.equal(content.length, entries)
    assert.equal(crc32c(lines, 0, lines.length), checksum)
    await varve.write([[ascii('~'), ascii('added')]])
    await varve.close()
    assert.deepEqual(await contentIn(openLevel, directory), [...content, '7e = 6164646564'])
  })
})

test('one database may hold tables of every compression', { skip: noZstd }, () => mixed(['none', 'snappy', 'zstd']))

test('one database may hold tables with and without snappy', () => mixed(['none', 'snappy', 'none']))

async function mixed(compressions: readonly ('none' | 'snappy' | 'zstd')[]): Promise<void> {
  await withDirectory(async (directory) => {
    const written: Write[] = []
    for (const [i, compression] of compressions.entries()) {
      const writes = proseWrites(new Prng(i), 300)
      const before = tableBytes(directory)
      // With a worker: it finds the codec by itself.
      const varve = await openVarve(directory, { compression, workers: 1 })
      for (const write of writes) await varve.write(write)
      await varve.db.flush()
      await varve.close()
      written.push(...writes)
      const keyAndValueBytes = writes.flat().reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0)
      assert.equal(tableBytes(directory) - before < keyAndValueBytes / 2, compression !== 'none', compression)
      assert.deepEqual(await contentIn(openVarve, directory), expectedContent(written))
    }
  })
}
