/**
 * Memory of an arena that is done with serves the next one, as if it were new.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recycleMemTable } from '../../src/db/write/new-memtable.ts'
import { takeMemory } from '../../src/memtable/arena-memory.ts'
import { MemTable } from '../../src/memtable/memtable.ts'

const capacityBytes = 64 * 1024

for (const representation of ['radix', 'skiplist', 'vector'] as const) {
  test(`a ${representation} in memory that was used before is empty, and holds what is put there`, () => {
    const first = MemTable.create({ capacityBytes, representation })
    for (let i = 0; i < 200; i++) first.put(`key${i}`, `${i}`.repeat(20))
    first.deleteRange('key2', 'key3')
    const { buffer } = first.share()
    recycleMemTable(first)
    const second = MemTable.create({ capacityBytes, representation })
    assert.equal(second.share().buffer, buffer)
    assert.deepEqual([second.length, second.memoryUsage, [...second.entries()].length], [0, 0, 0])
    for (let i = 100; i < 300; i++) second.put(`key${i}`, 'new')
    assert.equal([...second.entries()].length, 200)
    assert.equal(second.get('key7'), undefined)
    assert.equal(second.get('key250')?.type, 'value')
  })
}

test('memory is given out once, and only for its own length', () => {
  const table = MemTable.create({ capacityBytes: 4096 })
  table.put('key', 'value')
  const { buffer } = table.share()
  recycleMemTable(table)
  assert.notEqual(takeMemory(buffer.byteLength + 4), buffer)
  assert.equal(takeMemory(buffer.byteLength), buffer)
  assert.notEqual(takeMemory(buffer.byteLength), buffer)
  assert.ok(new Uint8Array(buffer).every((byte) => byte === 0))
})
