/**
 * stats, explain and dump.
 */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../../src/public/index.ts'
import { testdata } from '../support/paths.ts'
import { succeed, temporaryPath } from './run-cli.ts'

/** Names, sizes and contents: what must not change. */
function fingerprint(directory: string): string[] {
  // In a container, a part of the lock is no file that can be read.
  const names = readdirSync(directory).filter((name) => !name.endsWith('.socket'))
  return names.map((name) => {
    const path = join(directory, name)
    return `${name} ${statSync(path).mtimeMs} ${readFileSync(path).toString('base64')}`
  })
}

test('stats shows the layers, as a picture or as JSON, and changes nothing', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory)
  await db.put('Vaduz', '9490')
  await db.put(Uint8Array.of(0xff), '')
  await db.flush()
  await db.put('Schaan', '9494')
  // Still open, as another process's database would be.
  const before = fingerprint(directory)
  const picture = succeed('stats', directory)
  assert.match(picture, /^╭─ .* sequence 3 ─╮\n/)
  assert.match(picture, /level 0 .* 1 table,/)
  assert.match(picture, /Vaduz → 0xff/)
  assert.match(picture, /frozen .* 1 entry/)
  const stats = JSON.parse(succeed('stats', directory, '--json'))
  assert.equal(stats.lastSequence, 3)
  assert.equal(stats.poisonedBy, null, 'what there is nothing of is there, as null')
  assert.deepEqual([stats.tables[0].smallest, stats.tables[0].largest], ['Vaduz', { base64: '/w==' }])
  assert.deepEqual(fingerprint(directory), before)
  await db.close()
})

test('explain shows where the versions of a key are, as lines or as JSON, and changes nothing', async (t) => {
  const directory = temporaryPath(t)
  const db = await open(directory, { mergeAtRest: false })
  await db.put('Vaduz', '9490')
  await db.flush()
  await db.put('Vaduz', '9490 Vaduz')
  const before = fingerprint(directory)
  const lines = succeed('explain', directory, 'Vaduz').split('\n')
  assert.equal(lines[0], 'Vaduz, as of sequence 2: @2 put, 10 bytes')
  assert.equal(lines[1], '  MemTable')
  assert.match(lines[2], /@2 put, 10 bytes {2}<- found/)
  assert.match(lines[3], /level 0, \d+\.ldb: not asked; block @0/)
  assert.match(lines[4], /@1 put, 4 bytes/)
  const { found, layers } = JSON.parse(succeed('explain', '--hex', directory, '566164757a', '--json'))
  assert.deepEqual([found.sequence, layers.length, layers[0].block], [2, 2, null])
  assert.match(succeed('explain', directory, 'Schaan'), /no layer knows it\n/)
  assert.deepEqual(fingerprint(directory), before)
  await db.close()
})

test('dump shows all files of a database, in the order in which an opening reads them, and changes nothing', (t) => {
  const directory = temporaryPath(t)
  cpSync(testdata('golden', 'small'), directory, { recursive: true })
  const before = fingerprint(directory)
  const lines = succeed('dump', directory).split('\n')
  assert.deepEqual(
    lines.filter((line) => /^\S/.test(line)),
    [
      'CURRENT: names the manifest, 16 bytes',
      'MANIFEST-000004: manifest, 79 bytes',
      '000003.log: write-ahead log, 275 bytes',
      '000005.ldb: table, 350 bytes',
    ],
  )
  assert.ok(lines.includes("    10 put 'damson' = 'blue'"))
  assert.ok(lines.includes("    'damson' @10 put, 4 bytes"))
  assert.deepEqual(fingerprint(directory), before)
})

test('dump shows one file, by whatever name or link it goes, in text or hex', {
  skip: process.platform === 'win32',
}, (t) => {
  const link = temporaryPath(t, 'link')
  symlinkSync(testdata('golden', 'small', '000003.log'), link)
  assert.match(succeed('dump', link), /^link: write-ahead log, 275 bytes\n/)
  assert.match(succeed('dump', '--hex', link), / 1 put 0x6170706c65 = 0x726564\n/)
  assert.match(succeed('dump', '--bytes', '3', link), / 1 put 'app…' \(5 bytes\) = 'red'\n/)
})

test('dump shows what is broken, and what is not', (t) => {
  const directory = temporaryPath(t)
  cpSync(testdata('golden', 'small'), directory, { recursive: true })
  writeFileSync(join(directory, 'MANIFEST-000004'), 'rubbish')
  const log = readFileSync(join(directory, '000003.log'))
  log[8] ^= 1
  writeFileSync(join(directory, '000003.log'), log)
  const dump = succeed('dump', directory)
  assert.match(dump, /MANIFEST-000004: manifest, 7 bytes\n {2}@0 fault: /)
  assert.match(dump, /000003\.log: .*\n {2}@0 fault: checksum mismatch; 275 of 275 bytes follow\n/)
  assert.match(dump, /readable records beyond it/)
  assert.match(dump, /'damson' @10 put/)
})
