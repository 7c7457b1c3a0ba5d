/**
 * memory-app: uses a database in memory in all ways, in a web page, in a worker of one, or in Node, and says what it found. Its
 * table has the same bytes everywhere. Plain JavaScript of the web: bundled for browsers by tools/package/bundles.mjs.
 */
import { memoryEnvironment, nodeEnvironment, open, repair, verify, WriteBatch } from 'varve'
import { MemTable } from 'varve/memtable'

const ENTRIES = 5000

function expect(isTrue, what) {
  if (!isTrue) throw new Error(`not so: ${what}`)
}

const text = (bytes) => new TextDecoder().decode(bytes)
const key = (i) => `user:${String(i).padStart(6, '0')}`
const value = (i) => String(i).padStart(100 + (i % 50), '.')

/** The code of the error that `call` ends with. */
async function codeOf(call) {
  try {
    await call()
    return 'none'
  } catch (error) {
    return error.code
  }
}

/**
 * @param hasFiles whether the host has files
 * @param environment where the database lies, with directory
 */
export async function use(hasFiles, environment = memoryEnvironment(), directory = 'data') {
  await useMemTable()
  if (!hasFiles) {
    expect((await codeOf(() => nodeEnvironment())) === 'NOT_SUPPORTED', 'there is no Node')
    expect((await codeOf(() => open('data'))) === 'NOT_SUPPORTED', 'an environment has to be given')
  }
  const options = { environment, writeBufferBytes: 4 << 20, compression: 'snappy' }
  expect((await codeOf(() => open(directory, { ...options, createIfMissing: false }))) === 'NOT_FOUND', 'it is empty')
  let db = await open(directory, options)
  for (let i = 0; i < ENTRIES; i += 100) {
    const batch = new WriteBatch()
    for (let j = i; j < i + 100; j++) batch.put(key(j), value(j))
    await db.write(batch)
  }
  await db.delete(key(7))
  await db.flush()
  const table = await digestOfTable(environment.files, directory)
  await db.put('buffered', 'later', { durability: 'buffered' })
  expect((await codeOf(() => open(directory, options))) === 'LOCKED', 'one opener at a time')
  await useSynchronously(db)
  await db.compactRange()
  await keepsApart(db)
  await db.close()

  db = await open(directory, options)
  const entries = await countEntries(db)
  await db.close()
  const report = await verify(directory, { environment })
  expect(report.findings.length === 0, 'nothing is damaged')
  environment.files.remove(environment.files.join(directory, 'CURRENT'))
  await repair(directory, { environment })
  db = await open(directory, options)
  expect((await countEntries(db)) === entries, 'the repair lost nothing')
  await db.close()
  return { table, entries, isShared: typeof SharedArrayBuffer !== 'undefined' }
}

/** More than the write buffers hold, in one turn of the event loop. */
function useSynchronously(db) {
  for (let i = 0; i < 200; i++) db.putSync(`bulk:${i}`, new Uint8Array(100_000).fill(i))
  expect(db.getSync('bulk:199')[99_999] === 199, 'a large value is there')
  db.deleteSync('bulk:199')
  expect(db.getSync('bulk:199') === undefined, 'a deleted value is not')
}

/** A value that is given away takes no other with it. */
async function keepsApart(db) {
  const [first, second] = await db.getMany([key(1), key(2)])
  structuredClone(first, { transfer: [first.buffer] })
  expect(text(second) === value(2), 'values do not share memory')
  expect(text(await db.get(key(3))) === value(3), 'nor does the next one')
}

async function countEntries(db) {
  let expected = 0
  for await (const [k, v] of db.scan({ gte: 'user:', lt: 'user;' })) {
    if (expected === 7) expected++
    expect(text(k) === key(expected) && text(v) === value(expected), `entry ${expected}`)
    expected++
  }
  expect(expected === ENTRIES, `${expected} entries`)
  let count = 0
  for (const _ of db.keysSync({ reverse: true })) count++
  return count
}

async function useMemTable() {
  for (const representation of ['radix', 'skiplist', 'vector']) {
    const table = MemTable.create({ capacityBytes: 1 << 20, representation })
    table.put('b', '2')
    table.put('a', '1')
    table.delete('c')
    expect(text(table.get('a').value) === '1' && table.get('c').type === 'tombstone', 'a MemTable answers')
    const copy = MemTable.decode(table.encode())
    expect([...copy.rangeScan('a', 'c')].length === 3, 'its dump is whole')
    table.freeze()
    expect(MemTable.attach(table.share()).length === table.length, 'it is read through its memory')
    // What crosses threads is shared, or refused: never a copy that nobody writes to.
    const arrived = structuredClone(table.share())
    const isRefused = (await codeOf(() => MemTable.attach(arrived))) === 'INVALID_ARGUMENT'
    expect(isRefused === (typeof SharedArrayBuffer === 'undefined'), 'a copy is not taken for shared memory')
  }
}

/** SHA-256 of the first table. */
async function digestOfTable(files, directory) {
  const name = files.list(directory).find((file) => file.endsWith('.ldb'))
  const file = files.openRandomAccess(files.join(directory, name))
  const bytes = new Uint8Array(file.bytes)
  file.read(0, bytes, 0, bytes.length)
  file.close()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
