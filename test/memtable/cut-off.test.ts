/**
 * Programs whose calls do not end, since V8 cuts them off or the stack ends, and that go on with the same MemTable: it holds what was
 * written, or says that it takes no more writes. Where a call is cut off is up to the clock; the calls come from seeds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Script } from 'node:vm'
import type { KeyOrder } from '../../src/base/comparator.ts'
import { ReadOnlyError } from '../../src/base/errors.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { recycleMemTable } from '../../src/db/write/new-memtable.ts'
import { takeMemory } from '../../src/memtable/arena-memory.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { TableCounters } from '../../src/memtable/table-counters.ts'
import { CutHistory } from './cut-history.ts'
import { testEach } from './representations.ts'

const globals = globalThis as { varveCutOff?: () => void }
const script = new Script('varveCutOff()')

/** Call `work` again and again until V8 cuts it off. */
function cutOff(work: () => void, timeout: number): void {
  globals.varveCutOff = () => {
    for (;;) work()
  }
  assert.throws(() => script.runInThisContext({ timeout }), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' })
  delete globals.varveCutOff
}

/**
 * Calls `work` where hardly any stack is left: more, in steps of a few words, the larger `spare` is. It has been called before, since
 * V8 has no room there to compile it.
 */
function atTheEnd(work: (...unused: number[]) => void, spare: number): void {
  let deepest = 0
  let stop = Number.POSITIVE_INFINITY
  const walk = (depth: number): void => {
    deepest = depth
    if (depth < stop) walk(depth + 1)
    else if (spare % 4 === 0) work()
    else if (spare % 4 === 1) work(0, 0, 0)
    else if (spare % 4 === 2) work(0, 0, 0, 0, 0, 0)
    else work(0, 0, 0, 0, 0, 0, 0, 0, 0)
  }
  assert.throws(() => walk(0), RangeError)
  stop = deepest - Math.floor(spare / 4)
  try {
    walk(0)
  } catch (error) {
    assert.match(String(error), /call stack|stack/)
  }
}

testEach('after calls that V8 has cut off, what was written is there, and all of it is right', (representation) => {
  const seed = Date.now() % 2 ** 31
  const history = new CutHistory({ representation }, seed)
  for (let i = 0; i < 80; i++) {
    cutOff(() => history.step(), 1 + (i % 2))
    history.check(`seed ${seed}, cut ${i}`)
  }
})

testEach(
  'after calls in whose midst the stack has ended, what was written is there, and all of it is right',
  (representation) => {
    const history = new CutHistory({ representation, checksums: true }, 1)
    const step = (): void => history.step()
    for (let spare = 0; spare < 120; spare++) {
      for (let i = 0; i < 3; i++) step()
      atTheEnd(step, spare)
      history.check(`spare ${spare}`)
    }
  },
)

test('a scan that was cut off leaves nothing behind that scans of other tables meet', () => {
  const [table, other] = [MemTable.create({ capacityBytes: 1 << 20 }), MemTable.create({ capacityBytes: 1 << 20 })]
  for (let i = 0; i < 256; i++) table.put(String.fromCharCode(33 + ((i * 7) % 16) * 5, 33 + ((i * 5) % 10) * 9), '')
  const keys = Array.from({ length: 10 }, (_, i) => String.fromCharCode(120 - 7 * i))
  for (const key of keys) other.put(key, key)
  for (let i = 0; i < 100; i++) {
    cutOff(() => table.encode(), 1)
    const found = [...other.entries()].map(({ key }) => String.fromCharCode(key[0]))
    assert.deepEqual(found, [...keys].sort())
  }
})

testEach('a cursor whose move was cut off says so, or stands where it stood or goes', (representation) => {
  const table = MemTable.create({ capacityBytes: 1 << 20, representation })
  const keys = Array.from({ length: 200 }, (_, i) => `key${i}`).sort()
  for (const key of keys) table.put(key, key)
  const cursor = table.cursor()
  for (let i = 0; i < 100; i++) {
    cursor.first()
    cutOff(() => cursor.next() || cursor.first(), 1)
    const left: string[] = []
    try {
      for (; cursor.valid; cursor.next()) left.push(String.fromCharCode(...cursor.key))
    } catch (error) {
      assert.match(String(error), /cut off/)
      continue
    }
    assert.deepEqual(left, keys.slice(keys.length - left.length))
  }
})

/** A table of which a write of two entries was cut off after the first. */
function tornTable(representation: 'radix' | 'skiplist' | 'vector'): MemTable {
  const table = MemTable.create({ capacityBytes: 4096, representation })
  table.putMany([
    ['a', '1'],
    ['b', '2'],
  ])
  table.beginBatch()
  table.add(3 as never, ValueType.VALUE, new Uint8Array([99]), 0, 1, new Uint8Array(7), 0, 7)
  return table
}

function contentOf(table: MemTable): string {
  const keys = [...table.entries()].map(({ key, sequence }) => `${String.fromCharCode(...key)}@${sequence}`)
  return `${keys.join()} ${table.length} ${table.entryCount} ${table.largestSequence} ${table.sizeInBytes} ${table.get('c')?.type}`
}

/** Bytewise, and fails for good after so many comparisons. */
class FailingOrder implements KeyOrder {
  readonly name = 'fails'
  left = Number.POSITIVE_INFINITY

  compare(a: Uint8Array, b: Uint8Array): number {
    if (--this.left < 0) throw new Error('no order today')
    return Buffer.compare(a, b)
  }
}

testEach(
  'of a table of which a batch was cut off the rest is there, and a vector takes further writes',
  (representation) => {
    const table = tornTable(representation)
    const whole = 'a@1,b@2 2 2 2 4 undefined'
    assert.equal(contentOf(table), whole)
    if (representation === 'vector') {
      table.put('c', 'new')
      assert.equal(contentOf(table), 'a@1,b@2,c@3 3 3 3 8 value')
      return
    }
    for (const write of [
      () => table.put('c', 'new'),
      () => table.delete('a'),
      () => table.deleteRange('a', 'b'),
      () => table.putMany([['c', 'new']]),
    ]) {
      assert.throws(write, (error) => error instanceof ReadOnlyError && error.outcome === 'not-written')
    }
    assert.equal(contentOf(table), whole)
    table.freeze()
    assert.equal(contentOf(MemTable.attach(table.share())), whole)
    table.clear()
    table.put('a', '1')
    assert.equal(contentOf(table), 'a@1 1 1 1 2 undefined')
  },
)

testEach('the memory of a table of which a batch was cut off is empty for the next one', (representation) => {
  const table = tornTable(representation)
  const { buffer } = table.share()
  recycleMemTable(table)
  assert.equal(takeMemory(buffer.byteLength), buffer)
  assert.ok(new Uint8Array(buffer).every((byte) => byte === 0))
})

test('a cursor from before a batch that was cut off does not show half of it', () => {
  const table = MemTable.create({ capacityBytes: 4096 })
  table.put('a', '1')
  const cursor = table.cursor()
  cursor.first()
  table.beginBatch()
  table.add(2 as never, ValueType.VALUE, new Uint8Array([99]), 0, 1, new Uint8Array(7), 0, 7)
  assert.throws(() => cursor.next(), /cut off/)
  const another = table.cursor()
  assert.deepEqual([another.first(), another.next()], [true, false])
})

testEach('entries that are being read when a batch is cut off say so, and the batch is gone', (representation) => {
  const table = MemTable.create({ capacityBytes: 4096, representation })
  for (const key of ['b', 'd', 'f']) table.put(key, '1')
  const entries = table.entries()
  entries.next()
  table.beginBatch()
  for (const [i, key] of ['e', 'a', 'c'].entries()) {
    const bytes = Buffer.from(key)
    table.add((4 + i) as never, ValueType.VALUE, bytes, 0, 1, bytes, 0, 1)
  }
  assert.throws(() => entries.next(), /cut off/)
  assert.equal(contentOf(table), 'b@1,d@2,f@3 3 3 3 6 undefined')
})

testEach(
  'a range delete that is cut off before it is counted deletes nothing, and no later one brings it back',
  (representation) => {
    const table = MemTable.create({ capacityBytes: 8192, representation })
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) table.put(key, '1')
    table.deleteRange('a', 'c')
    const before = contentOf(table)
    const { addRange } = TableCounters.prototype
    TableCounters.prototype.addRange = () => {
      throw new Error('no catch runs, nor does this call')
    }
    assert.throws(() => table.deleteRange('b', 'e'), /no catch runs/)
    TableCounters.prototype.addRange = addRange
    assert.equal(contentOf(table), before)
    assert.throws(() => table.deleteRange('d', 'e'), { code: 'READ_ONLY' })
    assert.equal(contentOf(table), before)
  },
)

testEach(
  'where an order fails in the midst of a range delete, nothing is deleted, and the table takes further writes',
  (representation) => {
    if (representation === 'radix') return
    const comparator = new FailingOrder()
    const ranges = ['ac', 'bf', 'dh', 'gk', 'in', 'ce'] as const
    for (let compares = 0; compares < 40; compares++) {
      const table = MemTable.create({ capacityBytes: 1 << 16, comparator, representation })
      const other = MemTable.create({ capacityBytes: 1 << 16, comparator, representation })
      for (const key of 'abcdefghijklmno') for (const each of [table, other]) each.put(key, key)
      for (const [start, end] of ranges.slice(0, -1)) for (const each of [table, other]) each.deleteRange(start, end)
      comparator.left = compares
      let isWritten = true
      try {
        table.deleteRange('c', 'l')
      } catch {
        isWritten = false
      }
      comparator.left = Number.POSITIVE_INFINITY
      if (isWritten) other.deleteRange('c', 'l')
      for (const each of [table, other]) {
        each.put('d', 'new', 100)
        each.deleteRange('e', 'm', 101)
      }
      assert.equal(contentOf(table), contentOf(other), `after ${compares} comparisons`)
    }
  },
)

test('where an order fails in the midst of a batch, none of the batch is there', () => {
  const comparator = new FailingOrder()
  for (let compares = 0; compares < 40; compares++) {
    const table = MemTable.create({ capacityBytes: 1 << 16, comparator })
    for (const key of ['d', 'b', 'f', 'h']) table.put(key, key)
    const before = contentOf(table)
    comparator.left = compares
    let isWritten = true
    try {
      table.putMany(['e', 'a', 'g', 'c', 'i'].map((key) => [key, 'new'] as const))
    } catch {
      isWritten = false
    }
    comparator.left = Number.POSITIVE_INFINITY
    if (isWritten) assert.equal(table.length, 9)
    else assert.equal(contentOf(table), before, `after ${compares} comparisons`)
  }
})
