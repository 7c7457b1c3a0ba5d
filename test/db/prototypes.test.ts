/**
 * What other parts of a program have done to the prototypes that all objects share: members that got there by mistake or by an attack,
 * which count as nobody's options, and prototypes that were frozen before varve was loaded.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { memoryEnvironment } from '../../src/env/web-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'

/** Only while it is called: the rest of the test's process has these prototypes, too. */
function whileAllObjectsHave<T>(name: string, value: unknown, call: () => T): T {
  const all = Object.prototype as unknown as Record<string, unknown>
  all[name] = value
  try {
    return call()
  } finally {
    delete all[name]
  }
}

const environment = memoryEnvironment()
const calls: [what: string, name: string, value: unknown, call: (db: DB) => unknown][] = [
  ['a scan', 'gte', 'b', (db) => db.scan()],
  ['a scan with options', 'limit', 1, (db) => [...db.scanSync({ gte: 'a' })]],
  ['a cursor', 'prefix', 'b', (db) => db.cursor()],
  ['a read with options', 'snapshot', null, (db) => db.getSync('a', {})],
  ['a write with options', 'durability', 'buffered', (db) => db.putSync('a', '2', {})],
  ['an opening', 'readOnly', true, () => open('elsewhere', { environment })],
  ['an environment', 'fileMode', 0o666, () => nodeEnvironment()],
  ['a MemTable', 'checksums', false, () => MemTable.create({ capacityBytes: 1 << 16 })],
]
for (const [what, name, value, call] of calls) {
  test(`${what} does not go by a member ${name} that all objects have, and says that they have it`, async () => {
    await using db = await open('data', { environment })
    await db.put('a', '1')
    const refusal = { code: 'INVALID_ARGUMENT', message: new RegExp(`Object\\.prototype has a member ${name}`) }
    await assert.rejects(async () => whileAllObjectsHave(name, value, () => call(db)), refusal)
    assert.equal(Buffer.from(db.getSync('a') ?? []).toString(), '1')
  })
}

test('writes and reads go on while all objects have members that are no options', async () => {
  await using db = await open('data', { environment })
  await whileAllObjectsHave(
    'extend',
    () => {},
    () => db.put('a', '2', { durability: 'disk' }),
  )
  const entries = whileAllObjectsHave(
    'extend',
    () => {},
    () => [...db.scanSync({ gte: 'a' })],
  )
  assert.equal(entries.length, 1)
})

test('errors keep their names in a program that has frozen the prototypes of the language', () => {
  const program = `const [errors, levelError] = await Promise.all(process.argv.slice(1).map((url) => import(url)))
    for (const { prototype } of [Object, Function, Array, Error, TypeError]) Object.freeze(prototype)
    const error = new errors.LockedError('held')
    console.log(error.name, error.code, levelError.toLevelError(error).name)`
  const modules = ['base/errors', 'level/level-error'].map(
    (name) => new URL(`../../src/${name}.js`, import.meta.url).href,
  )
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, ...modules], {
    encoding: 'utf8',
  })
  assert.equal(output, 'LockedError LOCKED Error\n')
})
