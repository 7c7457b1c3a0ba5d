/** What a group of writes comes to, which writes join it, and its one outcome. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { batchCount, batchSequence, forEachOp } from '../../src/batch/batch-format.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import { arenaBytesMax, GROUP_BYTES_MAX, WriteGroup } from '../../src/db/write/write-group.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { bytesOf } from '../table/entries.ts'

const LENGTH_BYTES = 4

test('a group comes to as many ops, range deletes and bytes as its batches, numbered one after another', () => {
  const batch = new WriteBatch().put('c', '3').deleteRange('d', 'f').delete('g')
  const group = new WriteGroup()
  group.addPut(bytesOf('a'), bytesOf('1'), 'buffered')
  group.addDeleteRange(bytesOf('a'), bytesOf('b'), 'buffered')
  group.addBatch(batch.encoded(), batch.rangeCount, 'buffered')
  group.addDelete(bytesOf('h'), 'buffered')
  group.number(100)
  const batches: number[][] = []
  let bytes = 0
  group.forEachBatch((encoded, offset, length) => {
    batches.push([batchSequence(encoded, offset), batchCount(encoded, offset)])
    bytes += length
  })
  assert.deepEqual(batches, [
    [100, 1],
    [101, 1],
    [102, 3],
    [105, 1],
  ])
  assert.deepEqual([group.opCount, group.rangeCount, group.bytes], [6, 2, bytes])
  assert.equal(group.arenaBytes, arenaBytesMax(6, 2, bytes))
  // A range tombstone takes more than an entry.
  assert.ok(arenaBytesMax(1, 1, 0) > arenaBytesMax(1, 0, 0))
})

test('the strongest durability that a writer asks for is the group’s, also of a batch without ops', () => {
  const group = new WriteGroup()
  const durabilities = (['buffered', 'os', 'buffered', 'disk', 'os'] as const).map((durability) => {
    group.addBatch(new WriteBatch().encoded(), 0, durability)
    return group.durability
  })
  assert.deepEqual(durabilities, ['buffered', 'os', 'os', 'disk', 'disk'])
  assert.deepEqual([group.opCount, group.bytes], [0, 0])
})

test('a write joins while the group stays below its limit, a first one whatever its length, and a durable group is filled', () => {
  assert.ok(new WriteGroup().takes(2 * GROUP_BYTES_MAX))
  const group = new WriteGroup()
  group.addPut(bytesOf('k'), new Uint8Array(1000), 'os')
  const left = GROUP_BYTES_MAX - group.bytes - LENGTH_BYTES
  assert.deepEqual([group.takes(left - 1), group.takes(left)], [true, false])
  group.addDelete(bytesOf('k'), 'disk')
  assert.ok(group.takes(left))
  group.addPut(bytesOf('k'), new Uint8Array(GROUP_BYTES_MAX), 'os')
  assert.ok(!group.takes(0))
})

test('a write that cannot be copied leaves its group as it was, also in memory that an earlier group has used', () => {
  const earlier = new WriteGroup()
  for (const key of ['a', 'b', 'c']) earlier.addPut(bytesOf(key), bytesOf('old'), 'os')
  const group = new WriteGroup(earlier.takeMemory())
  group.addPut(bytesOf('a'), bytesOf('1'), 'os')
  const { bytes } = group
  // As where the stack ends: any call may throw.
  const key = Object.defineProperty({ length: 1 }, 0, {
    get: () => {
      throw new RangeError('the stack ends')
    },
  }) as unknown as Uint8Array
  const value = bytesOf('2')
  assert.throws(() => group.addPut(key, value, 'os'), RangeError)
  assert.throws(() => group.addDelete(key, 'os'), RangeError)
  assert.throws(() => group.addDeleteRange(key, value, 'os'), RangeError)
  assert.deepEqual([group.opCount, group.rangeCount, group.bytes], [1, 0, bytes])
  group.addPut(bytesOf('d'), bytesOf('3'), 'os')
  const keys: string[] = []
  group.forEachBatch((encoded, offset, length) => {
    forEachOp(encoded, offset, length, {
      add: (_sequence, _type, key, keyOff) => {
        keys.push(String.fromCharCode(key[keyOff]))
      },
    })
  })
  assert.deepEqual(keys, ['a', 'd'])
})

test('only the first outcome of a group counts', async () => {
  const written = new WriteGroup()
  written.settle()
  written.settle(new Error('late'))
  assert.deepEqual([written.isSettled, written.error], [true, undefined])
  const failed = new WriteGroup()
  const { promise } = failed
  const first = new Error('first')
  failed.settle(first)
  failed.settle()
  assert.equal(failed.error, first)
  await assert.rejects(promise, first)
})

test('a group that has grown holds what its writers gave it, and its memory is the next one’s, but for that of a very long batch', () => {
  const values = [10, 3000, 5000, 40_000, 1_500_000].map((length) => new Uint8Array(length).fill(length & 0xff))
  let memory: Uint8Array<ArrayBuffer> | undefined
  for (let round = 0; round < 3; round++) {
    const group = new WriteGroup(memory)
    group.addDelete(bytesOf('gone'), 'os')
    for (const value of values) group.addPut(bytesOf('k'), value, 'os')
    const held: string[] = []
    group.number(1)
    group.forEachBatch((bytes, offset, length) => {
      forEachOp(bytes, offset, length, {
        add: (_sequence, _type, key, keyOff, keyLen, value, valOff, valLen) => {
          held.push(Buffer.from(key).toString('latin1', keyOff, keyOff + keyLen), toHex(value, valOff, valLen))
        },
      })
    })
    assert.deepEqual(held, ['gone', '', ...values.flatMap((value) => ['k', toHex(value)])])
    group.settle()
    const taken = group.takeMemory()
    assert.equal(group.takeMemory().length, 0, 'it is taken once')
    assert.ok(taken.length > 1_500_000)
    if (memory !== undefined) assert.equal(taken, memory)
    memory = taken
  }
  const long = new WriteGroup()
  long.addPut(bytesOf('k'), new Uint8Array(2 * GROUP_BYTES_MAX), 'os')
  long.settle()
  assert.equal(long.takeMemory().length, 0)
})

test('whoever waits for a group hears when it is written', async () => {
  const group = new WriteGroup()
  const { promise } = group
  assert.equal(group.promise, promise)
  group.settle()
  assert.equal(await promise, undefined)
})

test('a group asks for as much room as the MemTable says that its entries and range deletes may take', () => {
  for (const keyBytes of [0, 1, 2, 3, 4, 5, 127, 128, 1000]) {
    for (const valueBytes of [0, 1, 2, 3, 4, 5, 127, 128, 5000]) {
      const key = new Uint8Array(keyBytes)
      const value = new Uint8Array(valueBytes)
      const end = new Uint8Array(valueBytes + 1).fill(1)
      const [entries, ranges] = [new WriteBatch(), new WriteBatch()]
      for (let i = 0; i < 100; i++) {
        entries.put(key, value)
        ranges.deleteRange(key, end)
      }
      const most = [MemTable.entryBytesMax(keyBytes, valueBytes), MemTable.rangeBytesMax(keyBytes, end.length)]
      for (const [i, batch] of [entries, ranges].entries()) {
        const group = new WriteGroup()
        group.addBatch(batch.encoded(), batch.rangeCount, 'os')
        assert.ok(group.arenaBytes >= 100 * most[i])
      }
    }
  }
})
