/**
 * goLSM's MemTable: the semantics that its article describes, and its entries as protobuf messages, beside a protobuf library.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import { CorruptionError, InvalidArgumentError } from '../../src/base/errors.ts'
import { decodeLsmEntry, encodeLsmEntry, type LsmEntry } from '../../src/memtable/lsm-entry.ts'
import { LsmMemtable } from '../../src/memtable/lsm-memtable.ts'
import { bytesOf } from '../table/entries.ts'
import { REPRESENTATIONS } from './representations.ts'

type Step = [what: string, act: (table: LsmMemtable) => unknown, expected: unknown]

/** An entry in words. */
function words(entry: LsmEntry | undefined): string {
  if (entry === undefined) return 'nil'
  const value = entry.value === undefined ? '' : `=${Buffer.from(entry.value).toString()}`
  return `${entry.command} ${entry.key}${value} @${entry.timestamp}`
}

const STEPS: Step[] = [
  ['a new table is empty', (t) => [t.len(), t.sizeInBytes(), t.getEntries()], [0, 0, []]],
  ['Get of an absent key', (t) => words(t.get('a')), 'nil'],
  ['Put inserts', (t) => t.put('b', bytesOf('12')), undefined],
  ['an insert counts key and value', (t) => t.sizeInBytes(), 3],
  ['Get finds it', (t) => words(t.get('b')), 'put b=12 @1'],
  ['Put updates', (t) => t.put('b', bytesOf('12345')), undefined],
  ['an update takes the old value off', (t) => [t.sizeInBytes(), t.len()], [6, 1]],
  ['Put of an empty value', (t) => t.put('c', bytesOf('')), undefined],
  ['an empty value is a value', (t) => words(t.get('c')), 'put c= @3'],
  ['Delete of what is there', (t) => t.delete('b'), undefined],
  ['its key stays', (t) => [t.sizeInBytes(), t.len()], [2, 2]],
  ['Get hands the tombstone out', (t) => words(t.get('b')), 'delete b @4'],
  ['Delete of what is not there', (t) => t.delete('a'), undefined],
  ['it takes its key', (t) => [t.sizeInBytes(), t.len()], [3, 3]],
  ['Put after Delete', (t) => t.put('b', bytesOf('x')), undefined],
  ['Put of é, which sorts by its UTF-8', (t) => t.put('é', bytesOf('y')), undefined],
  ['sizes are of UTF-8', (t) => t.sizeInBytes(), 7],
  ['RangeScan has both ends, and tombstones', (t) => t.rangeScan('a', 'b').map(words), ['delete a @5', 'put b=x @6']],
  ['RangeScan between keys', (t) => t.rangeScan('aa', 'bb').map(words), ['put b=x @6']],
  ['RangeScan of nothing', (t) => t.rangeScan('d', 'c').map(words), []],
  ['GetEntries', (t) => t.getEntries().map(words), ['delete a @5', 'put b=x @6', 'put c= @3', 'put é=y @7']],
  ['Clear', (t) => t.clear(), undefined],
  ['a cleared table is empty', (t) => [t.len(), t.sizeInBytes(), words(t.get('b'))], [0, 0, 'nil']],
]

for (const representation of REPRESENTATIONS) {
  test(`goLSM's semantics hold, step by step (${representation})`, () => {
    const table = new LsmMemtable({ capacityBytes: 1 << 16, representation })
    for (const [what, act, expected] of STEPS) assert.deepEqual(act(table), expected, what)
  })
}

test('keys that are no strings are refused', () => {
  const table = new LsmMemtable({ capacityBytes: 1024 })
  const key = bytesOf('a') as unknown as string
  const uses: (() => unknown)[] = [() => table.put(key, bytesOf('')), () => table.get(key), () => table.delete(key)]
  for (const use of [...uses, () => table.rangeScan(key, 'b'), () => table.rangeScan('a', key)]) {
    assert.throws(use, InvalidArgumentError)
  }
  assert.equal(table.len(), 0)
})

test('values that are no bytes are refused', () => {
  const table = new LsmMemtable({ capacityBytes: 1024 })
  for (const value of ['text', '', undefined, null, 7, [1]]) {
    assert.throws(() => table.put('a', value as unknown as Uint8Array), InvalidArgumentError)
  }
  assert.equal(table.len(), 0)
})

test('an order of keys is refused: its keys are in the order of their UTF-8', () => {
  const comparator = { name: 'test.Reverse', compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(b, a) }
  assert.throws(() => new LsmMemtable({ capacityBytes: 1024, comparator } as object), InvalidArgumentError)
  assert.throws(() => new LsmMemtable(null as unknown as object), InvalidArgumentError)
})

/** The article's message, as a protobuf library knows it. */
function messageOf(): DescMessage {
  const optional = Label.OPTIONAL
  const file = create(FileDescriptorProtoSchema, {
    name: 'lsm.proto',
    syntax: 'proto3',
    enumType: [
      {
        name: 'Command',
        value: [
          { name: 'PUT', number: 0 },
          { name: 'DELETE', number: 1 },
        ],
      },
    ],
    messageType: [
      {
        name: 'LSMEntry',
        oneofDecl: [{ name: '_value' }],
        field: [
          { name: 'key', number: 1, type: Type.STRING, label: optional },
          { name: 'command', number: 2, type: Type.ENUM, typeName: '.Command', label: optional },
          { name: 'value', number: 3, type: Type.BYTES, label: optional, oneofIndex: 0, proto3Optional: true },
          { name: 'timestamp', number: 4, type: Type.INT64, label: optional },
        ],
      },
    ],
  })
  return createFileRegistry(file, () => undefined).getMessage('LSMEntry')!
}

const MESSAGE = messageOf()

/** As the library writes it. */
function libraryBytes(entry: LsmEntry): Uint8Array {
  const { key, command, value, timestamp } = entry
  const fields = { key, command: command === 'put' ? 0 : 1, timestamp, ...(value !== undefined && { value }) }
  return toBinary(MESSAGE, create(MESSAGE, fields))
}

const anyEntry: fc.Arbitrary<LsmEntry> = fc
  .record({
    key: fc.string({ unit: 'binary', maxLength: 200 }),
    command: fc.constantFrom<'put' | 'delete'>('put', 'delete'),
    value: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
    timestamp: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  })
  .map(({ value, ...rest }) => (value === undefined ? rest : { ...rest, value: Uint8Array.from(value) }))

test('entries cross to and from a protobuf library, byte for byte', () => {
  const corners: LsmEntry[] = [
    { key: '', command: 'put', timestamp: 0n },
    { key: '', command: 'put', value: bytesOf(''), timestamp: 0n },
    { key: '\ufeffkey', command: 'delete', timestamp: -1n },
    { key: 'key', command: 'put', value: new Uint8Array(200), timestamp: 1_700_000_000_000_000_000n },
    { key: 'k', command: 'put', timestamp: 2n ** 63n - 1n },
    { key: 'k', command: 'put', timestamp: -(2n ** 63n) },
  ]
  const check = (entry: LsmEntry): void => {
    const bytes = encodeLsmEntry(entry)
    assert.deepEqual(bytes, new Uint8Array(libraryBytes(entry)))
    assert.deepEqual(decodeLsmEntry(bytes), entry)
    const read = fromBinary(MESSAGE, bytes) as unknown as { key: string; timestamp: bigint; value?: Uint8Array }
    assert.deepEqual([read.key, read.timestamp], [entry.key, entry.timestamp])
  }
  for (const entry of corners) check(entry)
  fc.assert(fc.property(anyEntry, check), { numRuns: 300 })
})

test('what a table yields is what comes back from its messages', () => {
  const table = new LsmMemtable({ capacityBytes: 4096 })
  table.put('a', bytesOf('1'))
  table.delete('b')
  const entries = table.getEntries()
  assert.deepEqual(
    entries.map((entry) => decodeLsmEntry(encodeLsmEntry(entry))),
    entries,
  )
})

/** Bytes from hex, spaced for reading. */
function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

test('unknown fields, other orders and repeated fields are read as protobuf wants', () => {
  const cases: [what: string, bytes: string, expected: string][] = [
    ['nothing', '', 'put  @0'],
    ['in another order', '2005 1a0178 1001 0a016b', 'delete k=x @5'],
    ['the last one counts', '0a0161 0a0162', 'put b @0'],
    ['unknown varint, 8 bytes, string, 4 bytes', '2801 310102030405060708 3a0161 4501020304 0a016b', 'put k @0'],
    ['an unknown group, with one inside', '2b 33 0801 34 0a0161 2c 0a016b', 'put k @0'],
    ['a known number of another type', '0801 1200 0a016b', 'put k @0'],
    ['a command of five bytes that is 1', '10 8180808000', 'delete  @0'],
    ['a number with too many bytes of zero', '20 85808080808080808000', 'put  @5'],
  ]
  for (const [what, bytes, expected] of cases) {
    assert.equal(words(decodeLsmEntry(hex(bytes))), expected, what)
    const library = fromBinary(MESSAGE, hex(what === 'a known number of another type' ? '0a016b' : bytes))
    assert.equal((library as unknown as LsmEntry).key, decodeLsmEntry(hex(bytes)).key, what)
  }
})

test('what is no message is damage, and is told with its offset', () => {
  const cases: [what: string, bytes: string, message: RegExp][] = [
    ['a key that is cut short', '0a05 6162', /cut short/],
    ['a value whose length is beyond memory', '1a ffffffff0f', /cut short/],
    ['a tag alone', '20', /cut short/],
    ['a tag that does not end', '8a', /no number/],
    ['field number 0', '00', /no number/],
    ['wire type 6', '0e', /wire type 6/],
    ['wire type 7', '2f', /wire type 7/],
    ['a group that does not end', '2b 0801', /no number/],
    ['the end of a group that did not begin', '2c', /wire type 4/],
    ['a group that ends as another', '2b 34', /wire type 4/],
    ['groups without end', '2b'.repeat(200), /too deeply/],
    ['eleven bytes of varint', `20 ${'80'.repeat(10)}01`, /longer than ten/],
    ['a key that is not UTF-8', '0a 02 c328', /UTF-8/],
    ['a command that is neither', '1002', /command 2/],
    ['a negative command', '10 ffffffffffffffffff01', /command -1/],
    ['an unknown field that is cut short', '31 0102', /cut short/],
  ]
  for (const [what, bytes, message] of cases) {
    const refused = (error: unknown): boolean => error instanceof CorruptionError && message.test(error.message)
    assert.throws(() => decodeLsmEntry(hex(bytes)), refused, what)
  }
  assert.throws(() => decodeLsmEntry('0a' as unknown as Uint8Array), InvalidArgumentError)
})

test('any bytes are a message or damage', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeLsmEntry(Uint8Array.from(bytes))
      } catch (error) {
        assert.ok(error instanceof CorruptionError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('entries that are not of their form are not encoded', () => {
  const good = { key: 'k', command: 'put', timestamp: 1n }
  const wrong: object[] = [
    { ...good, key: bytesOf('k') },
    { ...good, key: '\ud800' },
    { ...good, command: 'merge' },
    { ...good, command: 0 },
    { ...good, timestamp: 1 },
    { ...good, timestamp: 2n ** 63n },
    { ...good, timestamp: -(2n ** 63n) - 1n },
    { ...good, value: 7 },
    { ...good, value: 'text' },
    { ...good, value: null },
    ...([null, undefined, 7, 'k'] as unknown as object[]),
  ]
  for (const entry of wrong) assert.throws(() => encodeLsmEntry(entry as LsmEntry), InvalidArgumentError)
})
