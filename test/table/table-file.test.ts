/** Where a table is looked for, what about its file and its footer is refused, and that a large tail is read in parts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { fileNumber } from '../../src/base/types.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { findTable, openInputTable, openTableFile } from '../../src/table/table-file.ts'
import { decodeFooter, encodeFooter, FOOTER_BYTES, readFooter } from '../../src/table/table-format.ts'
import { MemoryFile } from '../support/memory-file.ts'

function directoryWith(sizes: Readonly<Record<string, number>>): MemoryEnvironment {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory('/db')
  for (const [name, bytes] of Object.entries(sizes)) {
    const file = memory.files.createWritable(`/db/${name}`)
    file.append(new Uint8Array(bytes), 0, bytes)
    file.close()
  }
  return memory
}

test('a table is found under its new name, then under its old one', () => {
  const { files } = directoryWith({ '000007.ldb': 10, '000007.sst': 11, '000008.sst': 12 })
  assert.deepEqual(
    [7, 8, 9].map((number) => findTable(files, '/db', fileNumber(number))?.name),
    ['000007.ldb', '000008.sst', undefined],
  )
  const file = openTableFile(files, '/db', fileNumber(8), 12)
  assert.equal(file.path, '/db/000008.sst')
  file.close()
})

test('a table that is missing, or has another size than the MANIFEST says, is damage with the name of its file', () => {
  const { files } = directoryWith({ '000007.ldb': 10 })
  for (const bytes of [9, 11, 0]) {
    assert.throws(() => openTableFile(files, '/db', fileNumber(7), bytes), {
      name: 'CorruptionError',
      message: new RegExp(`table has 10 bytes, the MANIFEST says ${bytes}`),
      file: '/db/000007.ldb',
    })
  }
  assert.throws(() => openTableFile(files, '/db', fileNumber(9), 10), { file: '/db/000009.ldb', message: /missing/ })
})

test('a table that is refused leaves no file open', () => {
  const { files } = directoryWith({ '000007.ldb': 100 })
  for (const bytes of [99, 100]) {
    const file = { number: fileNumber(7), bytes }
    assert.throws(() => openInputTable({ files }, '/db', file, bytewiseComparator), CorruptionError)
    assert.equal(files.openCount, 0, `${bytes} bytes`)
  }
})

/** A file of 1000 bytes that ends with a footer of these handles, changed. */
function footerOf(change: (footer: Uint8Array) => void): MemoryFile {
  const bytes = new Uint8Array(1000)
  const start = bytes.length - FOOTER_BYTES
  const index = { offset: 800, bytes: start - 800 - 5 }
  bytes.set(encodeFooter({ metaindex: { offset: 700, bytes: 95 }, index }), start)
  change(bytes.subarray(start))
  return new MemoryFile(bytes)
}

function decode(file: MemoryFile): unknown {
  const tail = new Uint8Array(Math.min(file.bytes, 200))
  file.read(file.bytes - tail.length, tail, 0, tail.length)
  return decodeFooter(file, tail)
}

test('a footer says where metaindex and index lie', () => {
  assert.deepEqual(decode(footerOf(() => {})), {
    metaindex: { offset: 700, bytes: 95 },
    index: { offset: 800, bytes: 147 },
  })
})

const BAD_FOOTERS: readonly (readonly [what: string, change: (footer: Uint8Array) => void, reason: RegExp])[] = [
  ['handles that are no numbers', (footer) => footer.fill(255, 0, 40), /does not fit the layout/],
  ['a metaindex that ends before the index', (footer) => footer.set([96], 2), /does not fit the layout/],
  ['an index that ends before the footer', (footer) => footer.set([150], 5), /does not fit the layout/],
  ['stray bits in the padding', (footer) => footer.set([1], 39), /stray bits/],
  ['another low half of the magic number', (footer) => footer.set([0], 40), /magic number/],
  ['another high half of the magic number', (footer) => footer.set([0], 47), /magic number/],
]

for (const [what, change, reason] of BAD_FOOTERS) {
  test(`a footer with ${what} is refused`, () => {
    assert.throws(
      () => decode(footerOf(change)),
      (error) => {
        assert.ok(error instanceof CorruptionError)
        assert.match(error.message, reason)
        assert.deepEqual([error.file, error.offset], ['memory', 1000 - FOOTER_BYTES])
        return true
      },
    )
  })
}

test('a file shorter than a footer is no table', () => {
  for (const bytes of [0, 1, FOOTER_BYTES - 1]) {
    const file = new MemoryFile(new Uint8Array(bytes))
    for (const read of [decode, readFooter]) {
      assert.throws(() => read(file), { name: 'CorruptionError', message: /at least 48 bytes/ })
    }
  }
})
