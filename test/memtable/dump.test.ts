/**
 * The dump of a MemTable: its bytes, what it leaves out, its size without encoding, reading it back in pieces of any
 * size, and every refusal with its offset.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../../src/base/bytes.ts'
import { customComparator } from '../../src/base/comparator.ts'
import { CorruptionError, InvalidArgumentError, NotSupportedError } from '../../src/base/errors.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { MemTableFullError } from '../../src/memtable/memtable-full-error.ts'
import { bytesOf, type Entry } from '../table/entries.ts'
import { addTo, anyHistory, isDeletion, newestAt, sequenceOf } from './histories.ts'

const GOLDEN = '4d4d5431 02000000 05000000 05000000 00 616c706861 6669727374 04000000 00000000 01 62657461'.replaceAll(
  ' ',
  '',
)

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

function create(capacityBytes: number = 1024 * 1024): MemTable {
  return MemTable.create({ capacityBytes })
}

function goldenTable(): MemTable {
  const table = create()
  table.put('alpha', 'first')
  table.put('beta', 'second')
  table.delete('beta')
  return table
}

function tableOf(history: readonly Entry[]): MemTable {
  const table = create()
  for (const entry of history) addTo(table, entry)
  table.publish()
  return table
}

/** The dump of these entries, put together by another way than the encoder's. */
function dumpOf(entries: readonly Entry[]): string {
  const u32 = (value: number): string => Buffer.from(Uint32Array.of(value).buffer).toString('hex')
  const body = entries.map((entry) => {
    const { key, value } = entry
    return `${u32(key.length)}${u32(value.length)}${isDeletion(entry) ? '01' : '00'}${toHex(key)}${toHex(value)}`
  })
  return `4d4d5431${u32(entries.length)}${body.join('')}`
}

/** What a table answers for each of its keys. */
function contentOf(table: MemTable): string[] {
  return Array.from(table.entries(), (entry) =>
    entry.type === 'value' ? `${toHex(entry.key)}=${toHex(entry.value)}` : `${toHex(entry.key)} deleted`,
  )
}

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  // One buffer for all pieces: a decoder that kept a view would see them change.
  const piece = new Uint8Array(size)
  for (let at = 0; at < bytes.length; at += size) {
    const length = Math.min(size, bytes.length - at)
    piece.set(bytes.subarray(at, at + length))
    yield piece.subarray(0, length)
    piece.fill(0xee)
  }
}

test('the dump is the one that all languages write', () => {
  assert.equal(toHex(goldenTable().encode()), GOLDEN)
  assert.equal(toHex(create().encode()), '4d4d543100000000')
})

test('an empty value is no tombstone, and the empty key comes first', () => {
  const table = create()
  table.put('k', '')
  table.delete('never put')
  table.put('', 'v')
  assert.deepEqual(contentOf(MemTable.decode(table.encode())), ['=76', '6b=', `${toHex(bytesOf('never put'))} deleted`])
})

test('a dump holds the newest version of each key that is visible at the sequence', () => {
  fc.assert(
    fc.property(anyHistory, fc.nat(300), (history, sequence) => {
      const table = tableOf(history)
      assert.equal(toHex(table.encode()), dumpOf(newestAt(history, Number.MAX_SAFE_INTEGER)))
      assert.equal(toHex(table.encode(sequence)), dumpOf(newestAt(history, sequence)))
      const between = history.length === 0 ? 0 : sequenceOf(history[history.length >> 1])
      assert.equal(toHex(table.encode(between)), dumpOf(newestAt(history, between)))
    }),
  )
})

test('the size is known without encoding, after every write', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const table = create()
      assert.equal(table.encodedBytes, 8)
      for (const entry of history) {
        addTo(table, entry)
        assert.equal(table.encodedBytes, table.encode().length)
      }
    }),
    { numRuns: 30 },
  )
})

test('what is decoded is what was encoded, however the dump is cut into pieces', () => {
  fc.assert(
    fc.property(anyHistory, fc.integer({ min: 1, max: 100 }), (history, size) => {
      const table = tableOf(history)
      const dump = table.encode()
      for (const source of [
        dump,
        piecesOf(dump, 1),
        piecesOf(dump, size),
        [dump],
        table.encodeChunks(undefined, size),
      ]) {
        const options = ArrayBuffer.isView(source) ? {} : { capacityBytes: 1024 * 1024 }
        const decoded = MemTable.decode(source, options)
        assert.deepEqual(contentOf(decoded), contentOf(table))
        assert.deepEqual(decoded.encode(), dump)
        assert.equal(decoded.length, decoded.entryCount)
      }
    }),
  )
})

test('empty pieces are passed over', () => {
  const dump = goldenTable().encode()
  const nothing = new Uint8Array(0)
  const decoded = MemTable.decode([nothing, dump.subarray(0, 20), nothing, nothing, dump.subarray(20), nothing])
  assert.equal(toHex(decoded.encode()), GOLDEN)
})

test('an entry larger than a chunk has a chunk of its own', () => {
  const table = create()
  table.put('a', 'x')
  table.put('b', new Uint8Array(1000))
  table.put('c', 'x')
  const chunks = Array.from(table.encodeChunks(undefined, 64), ({ length }) => length)
  assert.deepEqual(chunks, [19, 1010, 11])
  assert.deepEqual(Buffer.concat([...table.encodeChunks(undefined, 64)]), Buffer.from(table.encode()))
})

test('chunks are of the moment at which they were asked for', () => {
  const table = create()
  for (let i = 0; i < 100; i++) table.put(`key${i}`, 'value')
  const dump = table.encode()
  const chunks: Uint8Array[] = []
  for (const chunk of table.encodeChunks(undefined, 32)) {
    chunks.push(chunk)
    table.put(`key${chunks.length}`, 'another value')
    table.put(`new${chunks.length}`, 'value')
    table.delete(`key${99 - chunks.length}`)
  }
  assert.deepEqual(Buffer.concat(chunks), Buffer.from(dump))
})

test('a write into the past of a dump that is being made is told', () => {
  const table = create()
  for (let i = 0; i < 100; i++) table.put(`key${i}`, 'value', 1000)
  const chunks = table.encodeChunks(undefined, 32)
  chunks.next()
  table.put('key999', 'value', 500)
  assert.throws(() => Array.from(chunks), { code: 'INVALID_ARGUMENT', message: /changed while it was being encoded/ })
})

test('a table that is cleared while its dump is made leaves the dump as it was', () => {
  for (const before of [0, 1]) {
    const table = create()
    for (let i = 0; i < 50; i++) table.put(`key${i}`, 'older')
    const sequence = table.largestSequence
    for (let i = 0; i < 50; i++) table.put(`key${i}`, 'newer')
    const dump = table.encode(sequence)
    const chunks = table.encodeChunks(sequence, 32)
    const parts = Array.from({ length: before }, () => chunks.next().value as Uint8Array)
    table.clear()
    for (let i = 0; i < 50; i++) table.put(`key${i}`, 'after')
    assert.deepEqual(Buffer.concat([...parts, ...chunks]), Buffer.from(dump))
  }
})

test('an attached table encodes what is published', () => {
  const owner = create()
  owner.put('a', '1')
  const attached = MemTable.attach(owner.share())
  const dump = owner.encode()
  assert.deepEqual(attached.encode(), dump)
  assert.equal(attached.encodedBytes, dump.length)
  owner.put('b', '2')
  owner.freeze()
  assert.deepEqual(attached.encode(), owner.encode())
  assert.equal(attached.encodedBytes, owner.encodedBytes)
})

test('a decoded table takes writes, and its sequences follow the order of its keys', () => {
  const table = MemTable.decode(goldenTable().encode())
  assert.deepEqual(
    Array.from(table.entries(), ({ sequence }) => sequence),
    [1, 2],
  )
  assert.equal(table.put('alpha', 'changed'), 3)
  assert.equal(table.put('gamma', new Uint8Array(1024 * 1024)), 4)
  assert.equal(table.length, 3)
})

test('a million bytes of tiny entries fit into the table that is made for them', () => {
  const table = create(16 * 1024 * 1024)
  for (let i = 0; i < 60_000; i++) table.put(`${i}`, '')
  assert.deepEqual(MemTable.decode(table.encode()).encode(), table.encode())
})

test('what follows a dump without entries is told, though it begins as a dump does', () => {
  const nothing = create().encode()
  for (const more of [nothing, goldenTable().encode(), new Uint8Array(8), new Uint8Array(1)]) {
    for (const source of [[nothing, more], [Buffer.concat([nothing, more])]]) {
      assert.throws(() => MemTable.decode(source, { capacityBytes: 4096 }), {
        message: 'there are bytes after the last entry (at byte 8)',
        offset: 8,
      })
    }
  }
})

test('what is decoded is published: who attaches the table sees it', () => {
  const attached = MemTable.attach(MemTable.decode(goldenTable().encode(), { capacityBytes: 4096 }).share())
  assert.equal(toHex(attached.encode()), GOLDEN)
})

test('a table is made for the entries that a dump has, and for 64 MiB more, whatever the dump claims', () => {
  const more = 64 * 1024 * 1024
  const ofEntries = (count: number, bytes: number): number => count * MemTable.entryBytesMax(0, 0) + bytes + more
  const assertMadeFor = (dump: Uint8Array, count: number): void => {
    const { capacityBytes } = MemTable.decode(dump)
    const needed = ofEntries(count, dump.length)
    assert.ok(capacityBytes >= needed && capacityBytes < needed + 8, `${capacityBytes}, not ${needed}`)
  }
  assertMadeFor(create().encode(), 0)
  assertMadeFor(goldenTable().encode(), 2)
  const table = create()
  for (let i = 0; i < 100; i++) table.put(`key${i}`, 'value')
  assertMadeFor(table.encode(), 100)
  // Nothing is allocated for what is only claimed: this would be more than there is.
  assert.throws(() => MemTable.decode(bytesOfHex('4d4d5431 ffffffff 00000000')), CorruptionError)
  assert.throws(() => MemTable.decode(bytesOfHex('4d4d5431 ff')), CorruptionError)
})

/** Malformed dumps: what is refused, at which byte, in which words. */
const REFUSALS: readonly (readonly [hex: string, offset: number, message: RegExp])[] = [
  ['', 0, /^a dump of 0 bytes is shorter than its header/],
  ['4d4d5431 000000', 7, /^a dump of 7 bytes is shorter than its header/],
  ['4d4d5432 00000000', 0, /^a dump begins with MMT1/],
  ['3154 4d4d 00000000', 0, /^a dump begins with MMT1/],
  ['4d4d5431 01000000', 8, /ends before the end of entry 1 of 1/],
  ['4d4d5431 ffffffff', 8, /ends before the end of entry 1 of 4294967295/],
  ['4d4d5431 01000000 01000000 ffffffff 00 61', 18, /ends before the end of entry 1 of 1/],
  ['4d4d5431 01000000 ffffffff ffffffff 00 61', 18, /ends before the end of entry 1 of 1/],
  ['4d4d5431 01000000 01000000 00000000 02 61', 16, /^entry 1 has the unknown type 2/],
  ['4d4d5431 01000000 01000000 00000000 ff 61', 16, /^entry 1 has the unknown type 255/],
  ['4d4d5431 01000000 01000000 01000000 01 61 62', 12, /^entry 1 is a tombstone with a value of 1 bytes/],
  ['4d4d5431 01000000 01000000 00000080 01 61', 12, /^entry 1 is a tombstone with a value of 2147483648 bytes/],
  ['4d4d5431 02000000 00000000 00000000 00 00000000 00000000 00', 26, /^the key of entry 2 does not sort after/],
  ['4d4d5431 02000000 01000000 00000000 00 61 01000000 00000000 01 61', 27, /^the key of entry 2 does not sort after/],
  ['4d4d5431 02000000 01000000 00000000 00 80 01000000 00000000 00 7f', 27, /^the key of entry 2 does not sort after/],
  ['4d4d5431 02000000 02000000 00000000 00 6161 01000000 00000000 00 61', 28, /^the key of entry 2 does not sort/],
  ['4d4d5431 00000000 00', 8, /^there are bytes after the last entry/],
  [`${GOLDEN}4d`, 40, /^there are bytes after the last entry/],
]

function assertRefused(dump: Uint8Array, offset: number, message: RegExp): void {
  for (const source of [dump, piecesOf(dump, 1), piecesOf(dump, 7)]) {
    assert.throws(
      () => MemTable.decode(source, { capacityBytes: 4096 }),
      (error) => {
        assert.ok(error instanceof CorruptionError, String(error))
        assert.match(error.message, message)
        assert.ok(error.message.endsWith(` (at byte ${offset})`), error.message)
        assert.equal(error.offset, offset)
        return true
      },
    )
  }
}

test('every fault is refused, at its offset, in one piece and in many', () => {
  for (const [hex, offset, message] of REFUSALS) assertRefused(bytesOfHex(hex), offset, message)
})

test('every proper prefix of a dump is refused where it ends', () => {
  const dump = bytesOfHex(GOLDEN)
  for (let length = 0; length < dump.length; length++) {
    assertRefused(dump.subarray(0, length), length, length < 8 ? /shorter than its header/ : /ends before the end of/)
  }
})

test('a dump with one byte changed is refused, or is the dump of another table', () => {
  const dump = bytesOfHex(GOLDEN)
  for (let at = 0; at < dump.length; at++) {
    for (const change of [1, 2, 0x80, 0xff]) {
      const changed = dump.slice()
      changed[at] ^= change
      let decoded: MemTable
      try {
        decoded = MemTable.decode(changed, { capacityBytes: 4096 })
      } catch (error) {
        assert.ok(error instanceof CorruptionError, String(error))
        continue
      }
      assert.deepEqual(decoded.encode(), changed)
    }
  }
})

test('the error names the file, if there is one', () => {
  const message = 'there are bytes after the last entry (tables/one.mmt at byte 40)'
  assert.throws(() => MemTable.decode(bytesOfHex(`${GOLDEN}00`), { file: 'tables/one.mmt' }), {
    code: 'CORRUPTION',
    message,
    file: 'tables/one.mmt',
    offset: 40,
  })
})

test('a table without room for a dump is an error of its own', () => {
  const dump = goldenTable().encode()
  assert.throws(() => MemTable.decode(dump, { capacityBytes: 64 }), MemTableFullError)
  assert.throws(() => MemTable.decode([dump], { capacityBytes: 64 }), MemTableFullError)
})

test('what is no bytes is no dump', () => {
  for (const dump of [
    undefined,
    null,
    'MMT1',
    8,
    {},
    new Uint16Array(4),
    ['MMT1\0\0\0\0'],
    [[0]],
    bytesOfHex(GOLDEN).keys(),
  ]) {
    assert.throws(() => MemTable.decode(dump as Uint8Array), InvalidArgumentError)
  }
})

test('options of decode are checked', () => {
  const dump = goldenTable().encode()
  const comparator = { name: 'reversed', compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(b, a) }
  for (const options of [null, 1, { comparator }, { capacity: 1000 }]) {
    assert.throws(() => MemTable.decode(dump, options as object), InvalidArgumentError)
    assert.throws(() => MemTable.decode([dump], options as object), InvalidArgumentError)
  }
})

test('arguments of encode are checked', () => {
  const table = goldenTable()
  for (const sequence of [-1, 0.5, Number.NaN, 2 ** 53])
    assert.throws(() => table.encode(sequence), InvalidArgumentError)
  for (const bytes of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => [...table.encodeChunks(undefined, bytes)], InvalidArgumentError)
  }
  assert.equal(toHex(table.encode(0)), '4d4d543100000000')
})

test('a table in another order than that of bytes has no dump', () => {
  const comparator = customComparator({ name: 'reversed', compare: (a, b) => -Buffer.compare(a, b) })
  const table = MemTable.create({ capacityBytes: 4096, comparator })
  assert.throws(() => table.encode(), NotSupportedError)
  assert.throws(() => table.encodeChunks().next(), NotSupportedError)
})

test('a dump of long keys, one longer than the other, is read whole and in pieces', () => {
  const table = create()
  for (let i = 1; i <= 400; i++) table.put('k'.repeat(i), String(i))
  const dump = table.encode()
  for (const source of [dump, [dump], Array.from(piecesOf(dump, 100), (piece) => piece.slice())]) {
    assert.deepEqual(MemTable.decode(source).encode(), dump)
  }
  assert.deepEqual(MemTable.decode(piecesOf(dump, 77)).encode(), dump)
})

test('what is shorter than the header of a dump is none', () => {
  for (let bytes = 0; bytes < 8; bytes++) {
    for (const source of [bytesOfHex(GOLDEN).slice(0, bytes), [bytesOfHex(GOLDEN).slice(0, bytes)]]) {
      assert.throws(() => MemTable.decode(source), CorruptionError, `${bytes} bytes`)
    }
  }
})
