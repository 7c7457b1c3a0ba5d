/**
 * Byte identity of the MANIFEST: what LevelDB writes at every opening, flush and compaction is, read and written again by
 * varve, the same file.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { fileNumber } from '../../src/base/types.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { ManifestWriter, readCurrent, readManifest } from '../../src/version/manifest.ts'
import type { VersionEdit } from '../../src/version/version-edit.ts'
import { filesOf, withDirectory } from './engines.ts'

const LIVES = 4
const KEYS = 3000
const { files } = nodeEnvironment()

/** One opening: writes for several flushes, a compaction of all, and some more. */
async function live(directory: string, life: number): Promise<void> {
  const level = new ClassicLevel(directory, { writeBufferSize: 64 * 1024, maxFileSize: 128 * 1024, compression: false })
  await level.open()
  const write = (first: number): Promise<void> =>
    level.batch(
      Array.from({ length: KEYS }, (_, i) => {
        const key = `key${String((first + i * 7919) % 20_000).padStart(6, '0')}`
        return i % 5 === 0 ? { type: 'del', key } : { type: 'put', key, value: `${life}:${i}`.padEnd(100, '.') }
      }),
    )
  for (let i = 0; i < 4; i++) await write(life * 11 + i)
  if (life % 2 === 1) await level.compactRange('', 'z')
  await write(life)
  await level.close()
}

function manifestName(directory: string): string {
  return filesOf(directory, '').find((name) => name.startsWith('MANIFEST-'))!
}

test("varve writes LevelDB's MANIFEST records as LevelDB does", async () => {
  await withDirectory(async (directory) => {
    const theirs = join(directory, 'theirs')
    const edits: VersionEdit[] = []
    for (let life = 0; life < LIVES; life++) {
      await live(theirs, life)
      const path = join(theirs, manifestName(theirs))
      const manifest = readManifest(files, path)
      edits.push(...manifest.edits)
      const ours = join(directory, `ours${life}`)
      mkdirSync(ours)
      const number = readCurrent(files, theirs) ?? fileNumber(0)
      ManifestWriter.create(files, ours, number, manifest.edits).close()
      assert.equal(readFileSync(join(ours, manifestName(ours)), 'hex'), readFileSync(path, 'hex'))
      assert.deepEqual(readFileSync(join(ours, 'CURRENT')), readFileSync(join(theirs, 'CURRENT')))
    }
    // Every kind of field has been there.
    assert.ok(edits.some(({ comparator }) => comparator !== undefined))
    assert.ok(edits.some(({ compactPointers = [] }) => compactPointers.length > 0))
    assert.ok(edits.some(({ deletedFiles = [], newFiles = [] }) => deletedFiles.length > 1 && newFiles.length > 1))
  })
})
