/**
 * What a MemTable refuses, and that a refusal changes nothing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { HEADER_BYTES, TAIL } from '../../src/memtable/arena-layout.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { MemTableFullError } from '../../src/memtable/memtable-full-error.ts'
import type { MemTableOptions, MemTableToken } from '../../src/memtable/memtable-options.ts'
import { bytesOf, listForwards } from '../table/entries.ts'
import { type Representation, testEach, testEachLive } from './representations.ts'

function create(representation: Representation, capacityBytes: number = 4096): MemTable {
  return MemTable.create({ capacityBytes, representation })
}

/** A view whose memory has gone to another owner. */
function detached(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

/** Everything that can be seen of a table. */
function everything(table: MemTable): unknown[] {
  const { entryCount, length, tombstoneCount, sizeInBytes, memoryUsage, smallestSequence, largestSequence } = table
  const numbers = [entryCount, length, tombstoneCount, sizeInBytes, memoryUsage, smallestSequence, largestSequence]
  return [...numbers, listForwards(table.iterator())]
}

testEach('a table without room refuses the entry and stays as it is', (representation) => {
  const table = create(representation, 2000)
  const reserved = MemTable.entryBytesMax(3, 50)
  let count = 0
  for (; table.hasRoom(reserved); count++) table.put(`k${10 + count}`, new Uint8Array(50))
  assert.ok(count >= Math.floor(2000 / reserved), 'what was reserved was enough')
  const refused = (error: unknown): boolean => {
    return error instanceof MemTableFullError && error.code === 'MEMTABLE_FULL' && error.outcome === 'not-written'
  }
  // What covers every representation may be more than this one needs.
  assert.throws(() => {
    for (; count < 2000; count++) table.put(`k${10 + count}`, new Uint8Array(50))
  }, refused)
  const before = everything(table)
  assert.throws(() => table.put('new', new Uint8Array(50)), refused)
  assert.throws(() => table.put('k10', new Uint8Array(50)), refused)
  assert.throws(() => table.put('k10', new Uint8Array(5000)), refused)
  assert.throws(() => table.delete(new Uint8Array(5000)), refused)
  assert.deepEqual(everything(table), before)
})

testEach('a fresh table has room for its capacity, and for no byte more', (representation) => {
  for (const capacityBytes of [0, 4, 100, 4096]) {
    const table = create(representation, capacityBytes)
    assert.equal(table.capacityBytes, capacityBytes)
    assert.equal(table.hasRoom(capacityBytes), true)
    assert.equal(table.hasRoom(capacityBytes + 1), false)
  }
  assert.equal(create(representation, 5).capacityBytes, 8)
})

testEachLive('frozen and attached tables take no writes', (representation) => {
  const table = create(representation)
  table.put('a', '1')
  const attached = MemTable.attach(table.share())
  const before = everything(table)
  const writes = (view: MemTable): (() => unknown)[] => [
    () => view.put('b', '2'),
    () => view.delete('a'),
    () => view.add(sequenceNumber(9), ValueType.VALUE, bytesOf('b'), 0, 1, bytesOf('2'), 0, 1),
  ]
  for (const write of writes(attached)) assert.throws(write, InvalidArgumentError)
  assert.throws(() => attached.freeze(), InvalidArgumentError)
  assert.throws(() => attached.clear(), InvalidArgumentError)
  attached.publish()
  assert.equal(attached.hasRoom(1), false)
  assert.equal(attached.isFrozen, false)
  table.freeze()
  table.freeze()
  for (const write of writes(table)) assert.throws(write, /frozen/)
  assert.equal(table.hasRoom(0), false)
  assert.deepEqual([table.isFrozen, attached.isFrozen], [true, true])
  assert.deepEqual(everything(table), before)
  assert.deepEqual(everything(attached), before)
})

testEachLive('freezing publishes what was added', (representation) => {
  const table = create(representation)
  const attached = MemTable.attach(table.share())
  table.add(sequenceNumber(1), ValueType.VALUE, bytesOf('b'), 0, 1, bytesOf('2'), 0, 1)
  assert.equal(attached.get('b'), undefined)
  assert.equal(attached.entryCount, 0)
  table.freeze()
  assert.equal(attached.get('b')?.type, 'value')
  assert.equal(attached.entryCount, 1)
})

testEach('keys, values and sequences of the wrong kind are refused', (representation) => {
  const table = create(representation)
  table.put('a', '1', 5)
  const before = everything(table)
  const wrong: unknown[] = [undefined, null, 7, {}, [1], true, new Uint16Array(1), new ArrayBuffer(1), Symbol('s')]
  wrong.push(
    new DataView(new ArrayBuffer(1)),
    '\ud800',
    'a\udfffb',
    `${'x'.repeat(100)}\ud800`,
    detached(3),
    detached(0),
  )
  for (const input of wrong) {
    const key = input as string
    assert.throws(() => table.put(key, 'v'), InvalidArgumentError)
    assert.throws(() => table.put('k', key), InvalidArgumentError)
    assert.throws(() => table.delete(key), InvalidArgumentError)
    assert.throws(() => table.get(key), InvalidArgumentError)
    assert.throws(() => table.rangeScan(key, 'z'), InvalidArgumentError)
    assert.throws(() => table.rangeScan('a', key), InvalidArgumentError)
    assert.throws(() => table.cursor().seek(key), InvalidArgumentError)
    assert.throws(() => table.cursor().seekForPrev(key), InvalidArgumentError)
  }
  for (const sequence of [0, -1, 1.5, NaN, Infinity, MAX_SEQUENCE + 1, '7' as unknown as number, 5, 4]) {
    assert.throws(() => table.put('a', 'v', sequence), InvalidArgumentError, String(sequence))
  }
  const none = null as unknown as number
  assert.throws(() => table.put('c', 'v', none), InvalidArgumentError)
  assert.throws(() => table.delete('c', none), InvalidArgumentError)
  assert.throws(() => table.deleteRange('c', 'd', none), InvalidArgumentError)
  for (const sequence of [-1, 1.5, NaN, none]) {
    assert.throws(() => table.get('a', sequence), InvalidArgumentError, String(sequence))
  }
  assert.deepEqual(everything(table), before)
  table.put('b', 'below the largest sequence, but the first of its key', 4)
  table.put('a', 'the last there is', MAX_SEQUENCE)
  assert.throws(() => table.put('c', 'v'), /sequence/)
})

testEach('strings are UTF-8, whatever their length', (representation) => {
  const table = create(representation)
  for (const key of ['', 'é', '\ud83d\ude00', 'x'.repeat(63) + 'é', 'x'.repeat(64), 'x'.repeat(65), 'é'.repeat(80)]) {
    table.put(key, key)
    const got = table.get(new TextEncoder().encode(key))
    assert.equal(got?.type === 'value' && new TextDecoder().decode(got.value), key)
  }
})

testEach('a sequence that is not newer than the versions of its key is a defect of the caller', (representation) => {
  const table = create(representation)
  const add = (sequence: number, type: number = ValueType.VALUE): void =>
    table.add(sequenceNumber(sequence), type, bytesOf('k'), 0, 1, bytesOf('v'), 0, 1)
  add(2 ** 40)
  const before = everything(table)
  for (const sequence of [2 ** 40, 2 ** 40 - 1, 1]) assert.throws(() => add(sequence), { name: 'AssertionError' })
  assert.throws(() => add(2 ** 40, ValueType.DELETION), { name: 'AssertionError' })
  assert.throws(() => add(2 ** 41, 2), { name: 'AssertionError' })
  assert.deepEqual(everything(table), before)
})

test('options that are not of their documented form are refused', () => {
  const wrong: unknown[] = [
    { capacityBytes: -1 },
    { capacityBytes: 1.5 },
    { capacityBytes: 2 ** 31 },
    { capacityBytes: '64' },
    { representation: 'hash' },
    { representation: 'radix', comparator: { name: 'test.bytes', compare: Buffer.compare } },
    { seed: 0.5 },
    { capacity: 4096 },
    null,
    'radix',
    { comparator: null },
    { comparator: { name: 'x' } },
    { comparator: { name: 'leveldb.BytewiseComparator', compare: () => 0 } },
    { comparator: { name: '', compare: () => 0 } },
  ]
  for (const options of wrong) {
    assert.throws(() => MemTable.create(options as MemTableOptions), InvalidArgumentError, JSON.stringify(options))
  }
})

test('attach refuses options that there are not', () => {
  const token = create('radix').share()
  for (const options of [{ comparater: undefined }, { file: 'x' }, null, 'radix']) {
    assert.throws(() => MemTable.attach(token, options as never), InvalidArgumentError, JSON.stringify(options))
  }
})

const wrongOrders: [what: string, compare: (a: Uint8Array, b: Uint8Array) => unknown][] = [
  ['NaN', () => Number.NaN],
  ['nothing', () => undefined],
  ['whether one is less', (a, b) => Buffer.compare(a, b) < 0],
  ['an error', (a) => a[0] !== 0x61 && assert.fail('as told')],
]
for (const [what, compare] of wrongOrders) {
  test(`a key that an order cannot place, since it answers ${what}, is refused, and nothing with it is written`, () => {
    const comparator = { name: 'test.Wrong', compare: compare as () => number }
    const table = MemTable.create({ capacityBytes: 1 << 16, comparator })
    const before = everything(table)
    const writes: (() => unknown)[] = [
      () => table.put('b', '1'),
      () => table.delete('b'),
      () => table.deleteRange('b', 'c'),
      () =>
        table.putMany([
          ['a', '1'],
          ['b', '2'],
        ]),
    ]
    for (const write of writes) assert.throws(write, InvalidArgumentError)
    assert.deepEqual(everything(table), before)
  })
}

testEach('a cursor that stands nowhere has nothing to tell', (representation) => {
  const table = create(representation)
  const cursor = table.cursor()
  assert.equal(cursor.first() || cursor.last() || cursor.seek('') || cursor.seekForPrev('z'), false)
  for (const use of [
    () => cursor.key,
    () => cursor.value,
    () => cursor.type,
    () => cursor.next(),
    () => cursor.prev(),
  ]) {
    assert.throws(use, InvalidArgumentError)
  }
})

testEach('memory that is not a MemTable of this version is not attached', (representation) => {
  const table = create(representation, 512)
  table.put('a', '1')
  table.freeze()
  const damages: [what: RegExp, damage: (words: Int32Array) => void][] = [
    [/magic/, (words) => words.fill(0)],
    [/magic/, (words) => words.set([1], 0)],
    [/version is 1/, (words) => words.set([1], 1)],
    [/representation is 9/, (words) => words.set([9], 2)],
    [/capacity/, (words) => words.set([508], 3)],
    [/state/, (words) => words.set([2], 4)],
    [/tail/, (words) => words.set([0], TAIL)],
    [/tail/, (words) => words.set([HEADER_BYTES + 516], TAIL)],
    [/tail/, (words) => words.set([HEADER_BYTES + 2], TAIL)],
  ]
  for (const [message, damage] of damages) {
    const copy = new SharedArrayBuffer(HEADER_BYTES + 512)
    new Uint8Array(copy).set(new Uint8Array(table.share().buffer))
    const token: MemTableToken = { ...table.share(), buffer: copy }
    MemTable.attach(token)
    damage(new Int32Array(copy))
    const refused = (error: Error): boolean => error instanceof InvalidArgumentError && message.test(error.message)
    assert.throws(() => MemTable.attach(token), refused, String(message))
  }
  const growable = Reflect.construct(SharedArrayBuffer, [HEADER_BYTES, { maxByteLength: 4096 }])
  const buffers = [growable, new SharedArrayBuffer(0), new SharedArrayBuffer(8), new ArrayBuffer(512), undefined, {}]
  for (const buffer of buffers) {
    assert.throws(
      () => MemTable.attach({ ...table.share(), buffer: buffer as SharedArrayBuffer }),
      InvalidArgumentError,
    )
  }
  for (const token of [undefined, null, {}, { buffer: table.share().buffer }]) {
    assert.throws(() => MemTable.attach(token as MemTableToken), InvalidArgumentError)
  }
})
