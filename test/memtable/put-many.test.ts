/**
 * Writes that belong together: all of them or none, seen together.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { MAX_SEQUENCE } from '../../src/base/types.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { listForwards } from '../table/entries.ts'
import { anyHistory, isDeletion } from './histories.ts'
import { testEach, testEachLive } from './representations.ts'

testEach('many writes at once make the same table as one after another', (representation) => {
  fc.assert(
    fc.property(anyHistory, fc.nat(100), (history, cut) => {
      const one = MemTable.create({ capacityBytes: 1 << 16, representation })
      const many = MemTable.create({ capacityBytes: 1 << 16, representation })
      for (const entry of history) {
        if (isDeletion(entry)) one.delete(entry.key)
        else one.put(entry.key, entry.value)
      }
      const pairs = history.map((entry) => [entry.key, isDeletion(entry) ? undefined : entry.value] as const)
      many.putMany(pairs.slice(0, cut))
      assert.equal(many.putMany(pairs.slice(cut)), history.length)
      one.freeze()
      many.freeze()
      assert.deepEqual(listForwards(many.iterator()), listForwards(one.iterator()))
      assert.deepEqual([many.length, many.sizeInBytes], [one.length, one.sizeInBytes])
      assert.equal(many.memoryUsage, one.memoryUsage)
    }),
    { numRuns: 60 },
  )
})

testEachLive('they are published together', (representation) => {
  const table = MemTable.create({ capacityBytes: 4096, representation })
  const attached = MemTable.attach(table.share())
  const seen: number[] = []
  function* entries(): Generator<readonly [string, string]> {
    for (const key of ['a', 'b', 'c']) {
      seen.push(attached.length)
      yield [key, key]
    }
  }
  assert.equal(table.putMany(entries()), 3)
  assert.deepEqual([...seen, attached.length], [0, 0, 0, 3])
})

testEach('entries that are made as they are asked for may all be made in the same memory', (representation) => {
  const table = MemTable.create({ capacityBytes: 4096, representation })
  function* entries(): Generator<readonly [Uint8Array, Uint8Array]> {
    const [key, value] = [new Uint8Array(1), new Uint8Array(1)]
    for (let i = 1; i <= 3; i++) {
      key.fill(i)
      value.fill(i)
      yield [key, value]
    }
  }
  table.putMany(entries())
  table.freeze()
  for (const i of [1, 2, 3]) {
    assert.deepEqual(table.get(Uint8Array.of(i)), { type: 'value', value: Uint8Array.of(i), sequence: i })
  }
})

testEach('a write that is refused takes the others with it', (representation) => {
  const table = MemTable.create({ capacityBytes: 4096, representation })
  table.put('a', '1', MAX_SEQUENCE - 2)
  const before = listForwards(table.iterator())
  const good = ['b', '2'] as const
  const wrong: unknown[] = [
    undefined,
    7,
    'ab',
    [good, 'ab'],
    [good, [7, '1']],
    [good, ['k', null]],
    [good, ['\ud800', 'v']],
    [good, good, good],
  ]
  for (const entries of wrong) {
    assert.throws(() => table.putMany(entries as [string, string][]), InvalidArgumentError, String(entries))
  }
  assert.throws(() => table.putMany([good, ['c', new Uint8Array(5000)]]), {
    code: 'MEMTABLE_FULL',
    outcome: 'not-written',
  })
  assert.deepEqual(listForwards(table.iterator()), before)
  assert.equal(table.putMany([]), MAX_SEQUENCE - 2)
  table.freeze()
  assert.throws(() => table.putMany([good]), /frozen/)
})

testEach('entries that are made one after another are read no further than until they cannot fit', (representation) => {
  const table = MemTable.create({ capacityBytes: 4096, representation })
  let made = 0
  let isEnded = false
  function* entries(): Generator<[string, string]> {
    try {
      while (made < 10_000) yield [`key${made++}`, 'value']
    } finally {
      isEnded = true
    }
  }
  assert.throws(() => table.putMany(entries()), { code: 'MEMTABLE_FULL' })
  assert.deepEqual([table.length, isEnded, made < 100], [0, true, true])
})
