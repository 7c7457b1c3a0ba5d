/**
 * Which file is what.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { databaseFiles } from '../../src/inspect/directory-listing.ts'
import { dumpFile } from '../../src/inspect/file-dump.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { testdata } from '../support/paths.ts'

function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(testdata('golden', 'small', name)))
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

test('a file is what its name says, and under any other name what its content says', () => {
  const log = golden('000003.log')
  const manifest = golden('MANIFEST-000004')
  const table = golden('000005.ldb')
  const brokenFooter = table.slice()
  brokenFooter[brokenFooter.length - 20] ^= 1
  const cases: readonly (readonly [name: string, bytes: Uint8Array, is: string])[] = [
    ['000003.log', log, 'write-ahead log'],
    ['000003.log', table, 'write-ahead log'],
    ['copy', log, 'write-ahead log'],
    ['copy', manifest, 'manifest'],
    ['copy', table, 'table'],
    ['copy', brokenFooter, 'table'],
    ['copy', table.slice(0, 250), 'table'],
    ['CURRENT', text('MANIFEST-000004\n'), 'names the manifest'],
    ['000001.sst', table, 'table'],
    ['notes.txt', text('hello'), 'not recognised'],
    ['empty', new Uint8Array(0), 'not recognised'],
    ['zeros', new Uint8Array(100_000), 'not recognised'],
  ]
  for (const [name, bytes, is] of cases) {
    const [head] = dumpFile(new MemoryFile(bytes), name, { hex: false, maxBytes: 16 })
    assert.ok(head.startsWith(`${name}: ${is}, `), head)
  }
})

test('each kind of file is dumped in its own way, under a line that names it', () => {
  const style = { hex: false, maxBytes: 16 }
  const dump = (name: string, bytes: Uint8Array): string[] => [...dumpFile(new MemoryFile(bytes), name, style)]
  assert.equal(dump('000003.log', golden('000003.log'))[0], '000003.log: write-ahead log, 275 bytes')
  assert.equal(dump('000003.log', golden('000003.log'))[2], "    1 put 'apple' = 'red'")
  assert.equal(dump('MANIFEST-000004', golden('MANIFEST-000004'))[1], '  @0 edit, 28 bytes')
  assert.equal(dump('000005.ldb', golden('000005.ldb')).at(-1), '  sequences 1 to 10')
  assert.deepEqual(dump('CURRENT', golden('CURRENT')), ['CURRENT: names the manifest, 16 bytes', "  'MANIFEST-000004'"])
  assert.deepEqual(dump('LOCK', new Uint8Array(0)), ['LOCK: lock, 0 bytes'])
  assert.deepEqual(dump('LOG', text('one\ntwo\n')), ['LOG: messages, 8 bytes', "  'one'", "  'two'"])
  assert.deepEqual(dump('x', Uint8Array.of(0, 255)), ['x: not recognised, 2 bytes', '  0x00ff'])
  assert.deepEqual(dump('LOG', text('x'.repeat(5000))).at(-1), '  … 904 bytes more')
})

test('the files of a directory come in the order in which an opening reads them', () => {
  const names = ['000010.log', '000009.ldb', '000003.log', 'CURRENT', 'LOCK', 'MANIFEST-000002', 'README', '000002.sst']
  assert.deepEqual(databaseFiles(names), [
    'CURRENT',
    'MANIFEST-000002',
    '000003.log',
    '000010.log',
    '000002.sst',
    '000009.ldb',
    'LOCK',
  ])
})
