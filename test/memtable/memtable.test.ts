/**
 * MemTable, case by case: versions and snapshots, the accounting of sizes, unusual keys, one layout for one history.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customComparator } from '../../src/base/comparator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import { Arena } from '../../src/memtable/arena.ts'
import { SLOT_A, SLOT_B, TAIL } from '../../src/memtable/arena-layout.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { NO_LIMIT, SKIPLIST } from '../../src/memtable/memtable-rep.ts'
import { TableCounters } from '../../src/memtable/table-counters.ts'
import { appendVersion, olderVersion, versionBytes, writeFirstVersion } from '../../src/memtable/version-record.ts'
import { bytesOf, listBackwards, listForwards } from '../table/entries.ts'
import { makeRep, type Representation, testEach, testEachLive } from './representations.ts'

const KIB = 1024

function create(representation: Representation, capacityBytes: number = 256 * KIB): MemTable {
  return MemTable.create({ capacityBytes, representation })
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

/** What `get` answers, in words. */
function answer(table: MemTable, key: string, sequence?: number): string {
  const found = table.get(key, sequence)
  if (found === undefined) return 'absent'
  return found.type === 'value' ? `${text(found.value)} #${found.sequence}` : `tombstone #${found.sequence}`
}

testEach('a read as of a sequence sees what was newest then', (representation) => {
  const table = create(representation)
  table.put('a', 'one', 2)
  table.put('b', '', 3)
  table.put('a', 'two', 5)
  table.delete('a', 6)
  table.put('a', 'three', MAX_SEQUENCE)
  const cases: [key: string, sequence: number, expected: string][] = [
    ['a', 0, 'absent'],
    ['a', 1, 'absent'],
    ['a', 2, 'one #2'],
    ['a', 4, 'one #2'],
    ['a', 5, 'two #5'],
    ['a', 6, 'tombstone #6'],
    ['a', MAX_SEQUENCE - 1, 'tombstone #6'],
    ['a', MAX_SEQUENCE, `three #${MAX_SEQUENCE}`],
    ['b', 2, 'absent'],
    ['b', 9, ' #3'],
    ['', 9, 'absent'],
    ['aa', 9, 'absent'],
  ]
  for (const [key, sequence, expected] of cases)
    assert.equal(answer(table, key, sequence), expected, `${key}@${sequence}`)
  assert.equal(answer(table, 'a'), `three #${MAX_SEQUENCE}`)
})

testEach('sequences are counted from the largest one so far when they are not given', (representation) => {
  const table = create(representation)
  assert.equal(table.put('a', '1'), 1)
  assert.equal(table.put('b', '2', 10), 10)
  assert.equal(table.put('c', '3', 4), 4)
  assert.equal(table.delete('a'), 11)
  assert.equal(table.smallestSequence, 1)
  assert.equal(table.largestSequence, 11)
})

testEach(
  'an overwrite counts its value instead of the one that it replaces, and a tombstone its key',
  (representation) => {
    type Numbers = [size: number, length: number, entries: number, tombstones: number]
    const steps: [write: (table: MemTable) => void, expected: Numbers][] = [
      [() => {}, [0, 0, 0, 0]],
      [(t) => t.put('key', 'value'), [8, 1, 1, 0]],
      [(t) => t.put('key', 'longer value'), [15, 1, 2, 0]],
      [(t) => t.put('key', ''), [3, 1, 3, 0]],
      [(t) => t.put('other', '12345'), [13, 2, 4, 0]],
      [(t) => t.delete('other'), [8, 2, 5, 1]],
      [(t) => t.delete('other'), [8, 2, 6, 2]],
      [(t) => t.delete('never put'), [17, 3, 7, 3]],
      [(t) => t.put('other', '1'), [18, 3, 8, 3]],
      [(t) => t.put('', ''), [18, 4, 9, 3]],
      [(t) => t.put('é', 'ü'), [22, 5, 10, 3]],
      [(t) => t.clear(), [0, 0, 0, 0]],
    ]
    const table = create(representation)
    for (const [i, [write, expected]] of steps.entries()) {
      write(table)
      const numbers = [table.sizeInBytes, table.length, table.entryCount, table.tombstoneCount]
      assert.deepEqual(numbers, expected, `after step ${i}`)
    }
  },
)

testEach('keys are any bytes, in unsigned order: empty, with zeros, prefixes of each other', (representation) => {
  const keys = ['', '\0', '\0\0', '\0\x01', '\x7f', '\x80', '\xff', '\xff\xff', 'a', 'a\0', 'abcdefgh', 'abcdefgh\0']
  keys.push(
    'abcdefghi',
    'abcdefg',
    'abcdefgh\xff',
    '\0\0\0\0\0\0\0\0',
    '\0\0\0\0\0\0\0\0\0',
    'abcdefghabcdefghabcdefgh',
  )
  const table = create(representation)
  for (const [i, key] of keys.entries()) table.put(Buffer.from(key, 'latin1'), String(i))
  const found = [...table.entries()].map(({ key }) => text(key))
  assert.deepEqual(
    found,
    keys.toSorted((a, b) => Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'))),
  )
  for (const [i, key] of keys.entries()) {
    const got = table.get(Buffer.from(key, 'latin1'))
    assert.equal(got?.type === 'value' && text(got.value), String(i))
  }
})

testEach('keys and values of several megabytes are held like short ones', (representation) => {
  const table = create(representation, 64 * KIB * KIB)
  const long = new Uint8Array(5_000_000).fill(1)
  const longer = new Uint8Array(5_000_001).fill(1)
  const last = Uint8Array.from(long)
  last[last.length - 1] = 2
  for (const key of [last, longer, long]) table.put(key, longer)
  const entries = [...table.entries()]
  assert.deepEqual(
    entries.map(({ key }) => [key.length, key.at(-1)]),
    [
      [5_000_000, 1],
      [5_000_001, 1],
      [5_000_000, 2],
    ],
  )
  const got = table.get(last)
  assert.ok(got?.type === 'value' && Buffer.compare(got.value, longer) === 0)
  assert.equal(table.get(longer.subarray(1)) !== undefined, true)
  assert.equal(table.get(longer.subarray(2)), undefined)
})

testEach('a range holds both of its ends, tombstones included, and is read as it is asked for', (representation) => {
  const table = create(representation)
  for (const key of ['a', 'b', 'c', 'd']) table.put(key, key)
  table.delete('c')
  const cases: [start: string, end: string, expected: string][] = [
    ['b', 'c', 'b -c'],
    ['a', 'd', 'a b -c d'],
    ['', 'zzz', 'a b -c d'],
    ['aa', 'bb', 'b'],
    ['d', 'd', 'd'],
    ['c', 'b', ''],
    ['e', 'z', ''],
  ]
  for (const [start, end, expected] of cases) {
    const found = [...table.rangeScan(start, end)].map(({ type, key }) => (type === 'value' ? '' : '-') + text(key))
    assert.equal(found.join(' '), expected, `${start}..${end}`)
  }
  const end = bytesOf('d')
  const scan = table.rangeScan('a', end)
  end[0] = 0
  assert.equal(text(scan.next().value.key), 'a')
  table.put('ab', 'x')
  assert.deepEqual(
    [...scan].map(({ key }) => text(key)),
    ['ab', 'b', 'c', 'd'],
    'its ends are its own, and what is written ahead of it is met',
  )
})

testEach('what a table hands out is a copy in memory of its own', (representation) => {
  const table = create(representation)
  table.put('k', 'value')
  const got = table.get('k')
  assert.ok(got?.type === 'value' && got.value.buffer instanceof ArrayBuffer)
  got.value.fill(0)
  const [entry] = [...table.entries()]
  assert.ok(entry.key.buffer instanceof ArrayBuffer)
  entry.key.fill(0)
  assert.equal(answer(table, 'k'), 'value #1')
})

testEach('a key with very many versions is read right at any snapshot, and walked both ways', (representation) => {
  const table = create(representation, KIB * KIB)
  const count = 10_000
  for (let i = 1; i <= count; i++) table.put('hot', String(i))
  table.put('cold', 'x')
  for (let i = 1; i <= count; i++) {
    assert.equal(table.lookup(bytesOf('hot'), 0, 3, sequenceNumber(i)), Lookup.FOUND)
    assert.equal(text(table.valBuf.subarray(table.valOff, table.valOff + table.valLen)), String(i))
  }
  const forwards = listForwards(table.iterator())
  assert.equal(forwards.length, count + 1)
  assert.equal(forwards[1], `"hot"#${count}=${count}`)
  assert.deepEqual(listBackwards(table.iterator()), forwards.reverse())
})

test('the jumps of a chain of versions lead to its end in logarithmically many steps', () => {
  const arena = Arena.create(8 * KIB * KIB, SKIPLIST)
  const value = bytesOf('')
  let newest = arena.allocate(versionBytes(arena, 0))
  writeFirstVersion(arena, newest, 1 << 8, 0, value, 0, 0)
  for (let count = 2; count <= 100_000; count++) {
    newest = appendVersion(arena, newest, count << 8, 0, value, 0, 0)
    let steps = 0
    for (let v = newest; olderVersion(arena.words, v) !== 0; v = arena.words[(v >> 2) - 2]) steps++
    assert.ok(steps <= 2 * Math.log2(count) + 1, `${steps} steps through ${count} versions`)
  }
})

test('a comparator of the user orders the keys, and is asked for again to attach', () => {
  const order = { name: 'test.reverse', compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(b, a) }
  for (const comparator of [order, customComparator(order)]) {
    const table = MemTable.create({ capacityBytes: 4 * KIB, comparator })
    for (const key of ['a', 'c', '', 'b', 'abcdefghi', 'abcdefghj']) table.put(key, 'x')
    const attached = MemTable.attach(structuredClone(table.share()), { comparator })
    for (const view of [table, attached]) {
      const found = [...view.entries()].map(({ key }) => text(key))
      assert.deepEqual(found, ['c', 'b', 'abcdefghj', 'abcdefghi', 'a', ''])
      assert.equal(answer(view, 'abcdefghi'), 'x #5')
    }
    assert.throws(() => MemTable.attach(table.share()), /ordered by test.reverse/)
  }
})

testEachLive('after clear a table is as new, and readers of the old memory keep it', (representation) => {
  const table = create(representation)
  table.put('a', 'one')
  const attached = MemTable.attach(table.share())
  const cursor = table.cursor()
  table.freeze()
  table.clear()
  assert.equal(table.isFrozen, false)
  assert.equal(table.memoryUsage, 0)
  assert.equal(answer(table, 'a'), 'absent')
  assert.equal(table.put('a', 'new'), 1)
  assert.equal(answer(attached, 'a'), 'one #1')
  assert.equal(attached.isFrozen, true)
  assert.equal(cursor.first() && text(cursor.value!), 'one')
  assert.equal(answer(MemTable.attach(table.share()), 'a'), 'new #1')
})

/** All bytes of the arena. */
function arenaBytes(table: MemTable): Buffer {
  return Buffer.from(table.share().buffer)
}

test('one history and one seed make one arena, byte for byte', () => {
  const build = (representation: Representation, seed: number): MemTable => {
    const table = MemTable.create({ capacityBytes: 256 * KIB, representation, seed })
    for (let i = 0; i < 1000; i++) {
      const key = `key${(i * 7919) % 500}`
      if (i % 5 === 0) table.delete(key)
      else table.put(key, 'v'.repeat(i % 11))
    }
    return table
  }
  const first = build('skiplist', 1)
  assert.deepEqual(arenaBytes(build('skiplist', 1)), arenaBytes(first))
  assert.notDeepEqual(arenaBytes(build('skiplist', 2)), arenaBytes(first))
  first.clear()
  assert.equal(first.entryCount, 0)
  assert.deepEqual(arenaBytes(build('radix', 2)), arenaBytes(build('radix', 1)), 'nothing in it is random')
})

testEach('nothing is read from memory that was not written', (representation) => {
  const keys = ['', 'a', 'a\0', 'ab', 'abc', 'abcd', 'abcde', 'abcdefg', 'abcdefgh', 'abcdefghi', 'b']
  // Enough branches for every kind of node.
  for (let byte = 0x100; byte < 0x140; byte++) keys.push(`c${String.fromCharCode(byte - 0xa0)}`)
  const [dirty, clean] = [makeRep(representation, 64 * KIB, 0xff), makeRep(representation, 64 * KIB)]
  for (const { rep } of [dirty, clean]) {
    for (const [i, key] of keys.toReversed().entries()) {
      rep.add((i + 1) << 8, 0, bytesOf(key), 0, bytesOf(key).length, bytesOf(key), 0, bytesOf(key).length)
      rep.arena.isTorn = false
    }
  }
  const found = listForwards(dirty.rep.iterator(NO_LIMIT)).map((entry) => entry.split('#')[0])
  const inOrder = keys.toSorted((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)))
  assert.deepEqual(found.length, inOrder.length)
  for (const { arena } of [dirty, clean]) arena.bytes.fill(0, arena.tail, arena.ceiling)
  assert.deepEqual(dirty.arena.bytes, clean.arena.bytes)
  assert.deepEqual(
    found,
    listForwards(clean.rep.iterator(NO_LIMIT)).map((entry) => entry.split('#')[0]),
  )
})

test('the numbers stay those of the last publication while the next one is under way, or never ends', () => {
  const arena = Arena.create(KIB, SKIPLIST)
  const written = new TableCounters()
  for (let publication = 0; publication < 4; publication++) {
    const other = arena.words[SLOT_A] === arena.words[TAIL] ? SLOT_B : SLOT_A
    for (const pendingTail of [0, arena.tail + 4]) {
      arena.words.fill(-1, other + 1, other + 11)
      arena.words[other] = pendingTail
      const read = new TableCounters()
      read.read(arena)
      assert.deepEqual(read, written)
    }
    arena.allocate(4)
    written.add(2 ** 33 + 7 * publication, true, publication === 2, 10)
    const current = arena.words.slice(SLOT_A + SLOT_B - other, SLOT_A + SLOT_B - other + 9)
    written.publish(arena)
    assert.deepEqual(arena.words.slice(SLOT_A + SLOT_B - other, SLOT_A + SLOT_B - other + 9), current)
  }
})

testEach('a cursor that went on for any number of keys goes back, and on again', (representation) => {
  const keys = Array.from({ length: 100 }, (_, i) => `${(i * 37) % 100}`.padStart(3, '0'))
  const table = create(representation)
  for (const key of keys) table.put(key, key)
  keys.sort()
  table.freeze()
  for (const view of [table, MemTable.attach(table.share())]) {
    for (let steps = 0; steps < keys.length; steps++) {
      const at = view.iterator()
      const key = (): string => Buffer.from(at.keyBuf.subarray(at.keyOff, at.keyOff + at.keyLen)).toString('latin1')
      at.seekToFirst()
      for (let i = 0; i < steps; i++) at.next()
      assert.equal(key(), keys[steps])
      for (let i = steps - 1; i >= Math.max(0, steps - 3); i--) {
        at.prev()
        assert.equal(key(), keys[i], `back from ${steps}`)
      }
      for (let i = Math.max(0, steps - 3) + 1; i < keys.length; i++) {
        at.next()
        assert.equal(key(), keys[i], `on again from ${steps}`)
      }
      at.next()
      assert.equal(at.valid, false)
    }
  }
})

testEach('a cursor of the writer meets what is written ahead of it, keys and versions', (representation) => {
  const table = create(representation)
  for (let i = 0; i < 200; i += 2) table.put(`${i}`.padStart(3, '0'), 'first')
  const at = table.cursor()
  const seen: string[] = []
  for (at.first(); at.valid; at.next()) {
    const key = Buffer.from(at.key).toString('latin1')
    seen.push(`${key}=${Buffer.from(at.value!).toString('latin1')}`)
    const number = Number(key)
    if (number >= 198) continue
    if (seen.length % 3 === 1) table.put(`${number + 1}`.padStart(3, '0'), 'new key')
    if (seen.length % 5 === 1) table.put(`${number + 2}`.padStart(3, '0'), 'new version')
  }
  const all = Array.from(table.entries(), ({ key, ...entry }) => {
    assert.ok(entry.type === 'value')
    return `${Buffer.from(key).toString('latin1')}=${Buffer.from(entry.value).toString('latin1')}`
  })
  assert.deepEqual(seen, all)
  assert.ok(seen.length > 120)
})

testEach('entries of 16-byte keys and 100-byte values take at most 149 bytes each', (representation) => {
  const table = create(representation, 2 * KIB * KIB)
  const value = new Uint8Array(100)
  const count = 10_000
  for (let i = 0; i < count; i++) table.put(`${(i * 7919) % count}`.padStart(16, '0'), value)
  assert.equal(table.length, count)
  assert.ok(table.memoryUsage / count <= 149, `${table.memoryUsage / count} bytes`)
})
