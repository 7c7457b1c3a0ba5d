/**
 * What becomes of a database whose CURRENT, MANIFEST or tables are damaged, for every byte.
 *
 * Invariants  (1) an opening gives the right content or is refused with CORRUPTION and the file's name; it changes nothing
 *             (2) of a damaged table every read is right or is a CorruptionError that names it; other tables are not affected
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { CorruptionError, VarveError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { type Directory, entriesOf, flipped, leftBy, tryOpen, withFile } from './directories.ts'

/** One table with a few keys, one flush in the MANIFEST, and a key in the log. */
let left: Directory
const CONTENT = ['apple=red', 'banana=yellow', 'cherry=', 'damson=blue']

before(async () => {
  left = await leftBy(async (db) => {
    await db.put('apple', 'green')
    await db.put('apple', 'red')
    await db.put('banana', 'yellow')
    await db.put('cherry', '')
    await db.put('elder', 'gone')
    await db.delete('elder')
    await db.flush()
    await db.put('damson', 'blue')
  })
})

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)

async function refused(directory: Directory, file: string): Promise<CorruptionError> {
  const error = await tryOpen(directory)
  assert.ok(error instanceof CorruptionError, `not refused as damage: ${error}`)
  assert.equal(error.file, `/db/${file}`, error.message)
  return error
}

test('the database is as it should be before it is damaged', async () => {
  const db = await tryOpen(left)
  assert.ok(!(db instanceof VarveError))
  assert.deepEqual(entriesOf(db), CONTENT)
  assert.deepEqual([...left.keys()], ['000003.log', '000004.ldb', 'CURRENT', 'MANIFEST-000002'])
})

const currents: [what: string, content: string][] = [
  ['is empty', ''],
  ['has no line feed', 'MANIFEST-000002'],
  ['has two line feeds', 'MANIFEST-000002\n\n'],
  ['has a carriage return', 'MANIFEST-000002\r\n'],
  ['has zeros', '\0'.repeat(16)],
  ['points outside the directory', '../MANIFEST-000002\n'],
  ['points into a directory', 'MANIFEST-000002/../../etc\n'],
  ['names something else', '000004.ldb\n'],
  ['has a number of too few digits', 'MANIFEST-2\n'],
  ['has a number that no file can have', `MANIFEST-${'9'.repeat(20)}\n`],
  ['names a manifest that is not there', 'MANIFEST-000007\n'],
  ['is very long', `MANIFEST-000002\n${'x'.repeat(100_000)}`],
]
for (const [what, content] of currents) {
  test(`a CURRENT that ${what} is refused, and the manifests that there are are named`, async () => {
    const error = await refused(withFile(left, 'CURRENT', text(content)), 'CURRENT')
    assert.match(error.message, /MANIFEST-000002/)
  })
}

test('every flipped byte of CURRENT is refused', async () => {
  for (let offset = 0; offset < 16; offset++) {
    await refused(withFile(left, 'CURRENT', flipped(left.get('CURRENT')!, offset)), 'CURRENT')
  }
})

test('a missing CURRENT beside tables is damage, not an empty directory', async () => {
  const error = await refused(withFile(left, 'CURRENT', undefined), 'CURRENT')
  assert.match(error.message, /MANIFEST-000002/)
})

test('a missing CURRENT beside a log with data is damage, not an empty directory', async () => {
  const onlyLog = await leftBy(async (db) => {
    await db.put('a', '1', { durability: 'disk' })
  })
  await refused(withFile(onlyLog, 'CURRENT', undefined), 'CURRENT')
})

test('a creation that was cut short before CURRENT is begun again', async () => {
  const created = await leftBy(() => {})
  for (const name of ['', '000001.log', 'MANIFEST-000002']) {
    const db = await tryOpen(withFile(withFile(created, 'CURRENT', undefined), name, undefined))
    assert.ok(!(db instanceof VarveError), String(db))
    assert.equal(db.recoveryInfo.created, true)
  }
})

const MANIFEST = 'MANIFEST-000002'

test('a manifest cut short at any byte is refused, or opens with all content', async () => {
  const manifest = left.get(MANIFEST)!
  for (let bytes = 0; bytes < manifest.length; bytes++) {
    await expectSafe(await tryOpen(withFile(left, MANIFEST, manifest.slice(0, bytes))), `${bytes} bytes`)
  }
})

test('a manifest with any byte flipped is refused, or opens with all content', async () => {
  const manifest = left.get(MANIFEST)!
  for (let offset = 0; offset < manifest.length; offset++) {
    await expectSafe(await tryOpen(withFile(left, MANIFEST, flipped(manifest, offset))), `byte ${offset}`)
  }
})

test('a manifest with bytes after its end opens, and says so', async () => {
  const manifest = left.get(MANIFEST)!
  const longer = new Uint8Array(manifest.length + 9)
  longer.set(manifest)
  const db = await tryOpen(withFile(left, MANIFEST, longer))
  assert.ok(!(db instanceof VarveError), String(db))
  assert.equal(db.recoveryInfo.manifestTornAt, manifest.length)
  assert.deepEqual(entriesOf(db), CONTENT)
})

async function expectSafe(db: DB | VarveError, where: string): Promise<void> {
  if (db instanceof VarveError) {
    assert.ok(db instanceof CorruptionError, `${where}: ${db}`)
    assert.ok(db.file !== undefined, where)
    return
  }
  assert.deepEqual(entriesOf(db), CONTENT, where)
  await db.close()
}

const TABLE = '000004.ldb'

const tables: [what: string, change: (table: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined][] = [
  ['is missing', () => undefined],
  ['is empty', () => new Uint8Array(0)],
  ['is a byte too short', (table) => table.slice(0, -1)],
  ['is a byte too long', (table) => new Uint8Array([...table, 0])],
]
for (const [what, change] of tables) {
  test(`a database whose table ${what} is refused`, async () => {
    await refused(withFile(left, TABLE, change(left.get(TABLE)!)), TABLE)
  })
}

test('a table under its old name is read', async () => {
  const renamed = withFile(withFile(left, '000004.sst', left.get(TABLE)!), TABLE, undefined)
  const db = await tryOpen(renamed)
  assert.ok(!(db instanceof VarveError), String(db))
  assert.deepEqual(entriesOf(db), CONTENT)
})

test('with any byte of a table flipped, every read is right or is told as damage of that table', async () => {
  const table = left.get(TABLE)!
  let refusals = 0
  for (let offset = 0; offset < table.length; offset++) {
    const db = await tryOpen(withFile(left, TABLE, flipped(table, offset)))
    assert.ok(!(db instanceof VarveError), `byte ${offset}: ${db}`)
    const expected = { apple: 'red', banana: 'yellow', cherry: '', elder: undefined, absent: undefined, damson: 'blue' }
    for (const [key, value] of Object.entries(expected)) {
      refusals += read(
        () => [db.getSync(key)?.toString()],
        [value === undefined ? undefined : text(value).toString()],
        offset,
      )
    }
    read(() => entriesOf(db), CONTENT, offset)
    read(() => entriesBackwards(db), [...CONTENT].reverse(), offset)
    // What is in a newer layer needs no table.
    assert.equal(Buffer.from(db.getSync('damson')!).toString(), 'blue')
    await db.close()
  }
  assert.ok(refusals > table.length / 2, `${refusals} refused reads`)
})

function entriesBackwards(db: DB): string[] {
  return Array.from(db.scanSync({ reverse: true }), ([key, value]) => `${Buffer.from(key)}=${Buffer.from(value)}`)
}

/** @returns 1 if the read was refused as it should be */
function read(body: () => unknown[], expected: unknown[], offset: number): number {
  let found: unknown[]
  try {
    found = body()
  } catch (error) {
    assert.ok(error instanceof CorruptionError, `byte ${offset}: ${(error as Error).stack}`)
    assert.equal(error.file, `/db/${TABLE}`, `byte ${offset}: ${error.message}`)
    return 1
  }
  assert.deepEqual(found, expected, `byte ${offset}`)
  return 0
}
