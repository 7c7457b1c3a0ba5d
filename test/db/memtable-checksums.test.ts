/**
 * A database whose MemTables have checksums: what happened to their memory is found before it is answered or written.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CorruptionError } from '../../src/base/errors.ts'
import { open } from '../../src/db/open.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { DIRECTORY } from './directories.ts'

/** The MemTables that are made from now on. */
function watchTables(t: TestContext): MemTable[] {
  const tables: MemTable[] = []
  const create = MemTable.create
  t.mock.method(MemTable, 'create', (options: Parameters<typeof create>[0]) => {
    const table = create(options)
    tables.push(table)
    return table
  })
  return tables
}

function damage(table: MemTable, value: string): void {
  const { buffer } = table.share()
  const at = Buffer.from(buffer).indexOf(value)
  assert.ok(at > 0)
  new Uint8Array(buffer)[at] ^= 1
}

for (const memtable of ['radix', 'skiplist'] as const) {
  test(`reads and flushes refuse what memory does not hold as it was written (${memtable})`, async (t) => {
    const tables = watchTables(t)
    const environment = new MemoryEnvironment()
    const db = await open(DIRECTORY, { environment, workers: 0, memtable, memtableChecksums: true })
    await db.put('a', 'quite a value')
    await db.put('b', '2')
    await db.put('c', '3')
    assert.equal(Buffer.from((await db.get('a'))!).toString(), 'quite a value')
    damage(tables.at(-1)!, 'quite a value')
    await assert.rejects(async () => db.get('a'), CorruptionError)
    // Not its neighbour: a search in the skip list verifies those, too.
    assert.equal(db.getSync('c')?.length, 1, 'what is whole is answered')
    await assert.rejects(async () => db.flush(), CorruptionError)
    const tableFiles = environment.files.list(DIRECTORY).filter((name) => name.endsWith('.ldb'))
    assert.deepEqual(tableFiles, [], 'no table holds the damage')
    await db.close().catch(() => {})
    // The log has it as it was written.
    const again = await open(DIRECTORY, { environment, workers: 0 })
    assert.equal(Buffer.from((await again.get('a'))!).toString(), 'quite a value')
    await again.close()
  })
}
