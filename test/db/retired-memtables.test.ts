/**
 * MemTables that were flushed: when their memory is cleared and given to the next ones, and for whom it has to wait.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { RetiredMemTables } from '../../src/db/background/retired-memtables.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { Version } from '../../src/version/version.ts'
import { VersionSet } from '../../src/version/version-set.ts'
import { InlineExecutor } from '../../src/worker/inline-executor.ts'

const DIRECTORY = '/db'

interface Flushing {
  readonly versions: VersionSet
  readonly retired: RetiredMemTables
  /** As a flush does: a version without the MemTable becomes the current one, then the MemTable is retired. */
  flush(): MemTable
  /** As a scan does that begins. */
  hold(): Version
}

/** @param capacityBytes of the MemTables: of a length of its own, since idle memory is the thread's */
function flushing(capacityBytes: number): Flushing {
  const environment = new MemoryEnvironment()
  environment.files.makeDirectory(DIRECTORY)
  const versions = new VersionSet(environment.files, DIRECTORY, bytewiseComparator, undefined, 1e9)
  versions.startManifest({ logNumber: versions.numbers.take() })
  const retired = new RetiredMemTables(versions, new InlineExecutor(environment, bytewiseComparator))
  return {
    versions,
    retired,
    flush: () => {
      const table = MemTable.create({ capacityBytes })
      table.put('key', 'value')
      versions.begin({})
      versions.sync()
      versions.commit()
      retired.add(table)
      return table
    },
    hold: () => {
      versions.hold(versions.current)
      return versions.current
    },
  }
}

/** Whether each of the tables still holds what was put there. */
function areKept(tables: readonly MemTable[]): boolean[] {
  return tables.map((table) => new Uint8Array(table.share().buffer).some((byte) => byte !== 0))
}

test('a MemTable that nobody reads is cleared at once, and its memory serves the next one', () => {
  const { flush } = flushing(40_000)
  const table = flush()
  assert.deepEqual(areKept([table]), [false])
  assert.equal(MemTable.create({ capacityBytes: 40_000 }).share().buffer, table.share().buffer)
})

test('a MemTable waits for whoever read when it was flushed, and not for who begins to read later', () => {
  const { versions, retired, flush, hold } = flushing(41_000)
  const before = [hold(), hold()]
  const first = flush()
  const later = hold()
  retired.recycle()
  versions.unhold(before[0])
  retired.recycle()
  assert.deepEqual(areKept([first]), [true], 'one of two still reads')
  const second = flush()
  versions.unhold(before[1])
  retired.recycle()
  assert.deepEqual(areKept([first, second]), [false, true])
  versions.unhold(later)
  retired.recycle()
  assert.deepEqual(areKept([first, second]), [false, false])
})

test('two MemTables wait for a reader; of more, the oldest are left to it and to the garbage collector', () => {
  const { versions, retired, flush, hold } = flushing(42_000)
  const held = hold()
  const tables = [flush(), flush(), flush()]
  assert.deepEqual(areKept(tables), [true, true, true])
  versions.unhold(held)
  retired.recycle()
  assert.deepEqual(areKept(tables), [true, false, false])
})

test('when the database is closed, what still waits is cleared, once', () => {
  const { retired, flush, hold } = flushing(43_000)
  hold()
  const table = flush()
  retired.recycleAll()
  assert.deepEqual(areKept([table]), [false])
  const next = MemTable.create({ capacityBytes: 43_000 })
  assert.equal(next.share().buffer, table.share().buffer)
  next.put('key', 'value')
  retired.recycleAll()
  assert.deepEqual(areKept([next]), [true])
})
