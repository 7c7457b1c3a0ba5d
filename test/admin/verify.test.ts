/**
 * verify finds what is not as it was written, wherever it is, and changes nothing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handlesOf } from '../../src/admin/table-handles.ts'
import { verify } from '../../src/admin/verify.ts'
import { putFixed32 } from '../../src/base/coding.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { AbortedError, IOError, NotFoundError } from '../../src/base/errors.ts'
import { sequenceNumber } from '../../src/base/types.ts'
import { BLOCK_BYTES } from '../../src/log/log-format.ts'
import { Block } from '../../src/table/block.ts'
import { readBlock } from '../../src/table/block-reader.ts'
import { readFooter } from '../../src/table/table-format.ts'
import {
  DIRECTORY,
  type Directory,
  directoryOf,
  environmentOf,
  fingerprint,
  flipped,
  leftBy,
  openIn,
  placesIn,
  recordEnds,
  withFile,
} from '../db/directories.ts'
import { BEGINNING, batchOf, databaseOf, logOf, manifestOf, tableOf } from './handmade.ts'
import { madeByLevel, madeByVarve } from './histories.ts'

const OPTIONS = { workers: 0, writeBufferBytes: 16384 }

async function report(directory: Directory) {
  const environment = environmentOf(directory)
  const before = fingerprint(directoryOf(environment))
  const result = await verify(DIRECTORY, { environment })
  assert.equal(fingerprint(directoryOf(environment)), before)
  assert.equal(environment.files.openCount, 0)
  assert.equal(environment.files.locks.size, 0)
  return result
}

async function small(): Promise<Directory> {
  return leftBy(async (db) => {
    for (const key of ['apple', 'banana', 'cherry']) await db.put(key, 'red', { durability: 'disk' })
    await db.delete('banana')
    await db.flush()
    for (const key of ['date', 'elder', 'fig']) await db.put(key, 'x'.repeat(700))
    await db.flush()
    await db.put('grape', 'blue', { durability: 'disk' })
    await db.put('grape', 'white', { durability: 'disk' })
  }, OPTIONS)
}

test('a sound database has no finding, whoever made it', async () => {
  for (const made of [await madeByVarve(1, 400, 90), await madeByLevel(2, 6000)]) {
    const { findings, isDamaged, entries } = await report(made.directory)
    assert.deepEqual([findings, isDamaged], [[], false], made.name)
    assert.ok(entries >= made.history.content().length)
  }
})

test('every flipped byte of every file is found', async (t) => {
  const directory = await small()
  let found = 0
  let asDamage = 0
  for (const [name, bytes] of directory) {
    for (const at of placesIn(bytes)) {
      const { findings, isDamaged } = await report(withFile(directory, name, flipped(bytes, at)))
      const told = findings.filter(({ severity }) => severity !== 'note')
      assert.ok(told.length > 0, `byte ${at} of ${name} was not found`)
      found++
      if (isDamaged) asDamage++
    }
  }
  t.diagnostic(`${found} bytes flipped, ${found} found, ${asDamage} of them as damage, the others as a record cut off`)
})

test('every file that is missing or cut off is found', async () => {
  const directory = await small()
  for (const [name, bytes] of directory) {
    const ends = name.endsWith('.log') ? recordEnds(bytes) : []
    for (const length of [0, 1, bytes.length >> 1, bytes.length - 1]) {
      const { findings } = await report(withFile(directory, name, bytes.slice(0, length)))
      const told = findings.filter(({ severity }) => severity !== 'note')
      // A log without its last records is a log, and so is one with less room.
      const isLog = ends.includes(length) || (length > ends.at(-1)! && length % BLOCK_BYTES === 0)
      if (!isLog) assert.ok(told.length > 0, `${name} cut to ${length} bytes was not found`)
    }
    const { isDamaged } = await report(withFile(directory, name, undefined))
    assert.ok(isDamaged, `${name} is missing, and that was not found`)
  }
})

test('of a log that ends before its time, it is told how much an opening discards', async () => {
  const directory = await leftBy(async (db) => {
    await db.put('a', '1'.repeat(100))
    await db.put('b', '2'.repeat(100))
    await db.put('c', '3')
  }, OPTIONS)
  const [name, log] = [...directory].find(([candidate]) => candidate.endsWith('.log'))!
  const torn = withFile(directory, name, flipped(log, 200))
  const db = await openIn(environmentOf(torn), OPTIONS)
  const [{ offset, bytes, reason }] = db.recoveryInfo.discarded
  await db.close()
  assert.ok(offset > 0 && bytes > 0)
  const message = `${reason}; an opening discards the ${bytes} bytes from here on`
  assert.deepEqual((await report(torn)).findings, [{ file: name, offset, severity: 'warning', message }])
})

test('logs are judged in the order of their numbers, as an opening does, whatever comes before them', async () => {
  const manifest = manifestOf({ ...BEGINNING, lastSequence: sequenceNumber(0) })
  const [first, second] = [logOf([batchOf('a'), batchOf('b')]), logOf([batchOf('c'), batchOf('d')])]
  for (const logs of [
    { '999999.log': first.slice(0, -1), '1000000.log': second },
    { '999999.log': first, '1000000.log': second.slice(0, -1) },
  ]) {
    const directory = databaseOf(manifest, logs)
    const db = await openIn(environmentOf(directory), OPTIONS)
    const { discarded } = db.recoveryInfo
    await db.close()
    assert.ok(discarded.length > 0)
    const { findings } = await report(directory)
    const expected = discarded.map(
      ({ file, offset, bytes, reason }) =>
        `${file} at ${offset}: ${reason}; an opening discards the ${bytes} bytes from here on`,
    )
    const told = findings.map(({ file, offset, message }) => `${DIRECTORY}/${file} at ${offset}: ${message}`)
    assert.deepEqual(told.sort(), expected.sort())
  }
})

test('without a MANIFEST every log is looked at by itself', async () => {
  const sound = logOf([batchOf('a')])
  const log = logOf([batchOf('a'), batchOf('b').slice(0, -1)])
  const { findings, files, entries } = await report(
    new Map([
      ['000003.log', log],
      ['000004.log', sound],
      ['000005.log', sound.slice(0, -1)],
      ['000006.ldb', tableOf('ab')],
    ]),
  )
  const told = findings.filter(({ file, severity }) => file.endsWith('.log') && severity !== 'note')
  assert.deepEqual(
    told.map(({ file, offset, severity }) => [file, offset, severity]),
    [
      ['000003.log', sound.length, 'damage'],
      ['000005.log', 0, 'warning'],
    ],
  )
  assert.ok(told.every(({ message }) => !message.includes('discards')))
  assert.deepEqual(
    [files.map(({ name, entries }) => `${name} ${entries}`).sort(), entries],
    [['000003.log 1', '000004.log 1', '000005.log 0', '000006.ldb 2', 'CURRENT 0', 'LOCK 0'], 0],
  )
})

test('what cannot be opened is damage, and all else is looked at', async () => {
  const environment = environmentOf(await small())
  const { files } = environment
  const open = files.openRandomAccess.bind(files)
  files.openRandomAccess = (path) => {
    if (/(ldb|log)$/.test(path)) throw new IOError(`no permission for ${path}`)
    return open(path)
  }
  const { findings, files: seen } = await verify(DIRECTORY, { environment })
  const unread = seen.filter(({ kind }) => kind === 'table' || kind === 'log').map(({ name }) => name)
  assert.equal(unread.length, 3)
  for (const name of unread) {
    const [told] = findings.filter(({ file }) => file === name)
    assert.deepEqual([told.severity, told.message], ['damage', `no permission for ${DIRECTORY}/${name}`])
  }
  files.openRandomAccess = () => {
    throw new TypeError('a mistake of the environment')
  }
  await assert.rejects(verify(DIRECTORY, { environment }), TypeError)
})

test('a directory that has the name of a file of the database is damage; a name that varve does not write is a stranger’s', async () => {
  const directory = new Map(await small())
  directory.set('5.log', new Uint8Array(3))
  const environment = environmentOf(directory)
  environment.files.makeDirectory(`${DIRECTORY}/000099.dbtmp`)
  const { findings } = await verify(DIRECTORY, { environment })
  const told = (name: string): string[] =>
    findings.filter(({ file }) => file === name).map(({ severity, message }) => `${severity}: ${message}`)
  assert.equal(told('000099.dbtmp')[0], 'damage: not a regular file')
  assert.deepEqual(told('5.log'), ['note: not a file of a database'])
})

test('a database of another order is no damage, but a mistake of the caller', async () => {
  const comparator = { name: 'reverse', compare: (a: Uint8Array, b: Uint8Array) => -Buffer.compare(a, b) }
  const environment = environmentOf(await small())
  await assert.rejects(verify(DIRECTORY, { environment, comparator }), { code: 'INVALID_ARGUMENT' })
  assert.deepEqual([environment.files.openCount, environment.files.locks.size], [0, 0])
})

test('a filter that denies a key of its table is found, though all checksums are right', async () => {
  const directory = await small()
  const [name, table] = [...directory].find(([candidate]) => candidate.endsWith('.ldb'))!
  const file = environmentOf(directory).files.openRandomAccess(`${DIRECTORY}/${name}`)
  const { metaindex } = readFooter(file)
  const [{ handle }] = handlesOf(new Block(readBlock(file, metaindex, undefined), name, metaindex.offset))
  const changed = table.slice()
  changed.fill(0, handle.offset, handle.offset + 8)
  const crcAt = handle.offset + handle.bytes + 1
  putFixed32(changed, crcAt, maskCrc(crc32c(changed, handle.offset, handle.bytes + 1)))
  const { findings } = await report(withFile(directory, name, changed))
  assert.deepEqual(findings, [
    { file: name, offset: 0, severity: 'damage', message: 'the filter denies a key of this block' },
  ])
})

test('tables that were swapped are found by the bounds that the MANIFEST gives', async () => {
  const directory = await leftBy(async (db) => {
    await db.put('a', '1')
    await db.flush()
    await db.put('z', '1')
    await db.flush()
  }, OPTIONS)
  const [first, second] = [...directory.keys()].filter((name) => name.endsWith('.ldb'))
  const swapped = withFile(withFile(directory, first, directory.get(second)), second, directory.get(first))
  const { findings } = await report(swapped)
  assert.deepEqual(
    findings.map(({ file, severity, message }) => [file, severity, message]),
    [first, second].map((file) => [file, 'damage', 'keys outside the bounds that the MANIFEST gives']),
  )
})

test('files that nothing needs are notes, and no damage', async () => {
  const directory = new Map(await small())
  directory.set('000099.ldb', directory.get('CURRENT')!)
  directory.set('000098.dbtmp', new Uint8Array(3))
  directory.set('notes.txt', new Uint8Array(3))
  const { findings, isDamaged } = await report(directory)
  assert.equal(isDamaged, false)
  assert.deepEqual(findings.map(({ file, severity }) => `${file} ${severity}`).sort(), [
    '000098.dbtmp note',
    '000099.ldb note',
    'notes.txt note',
  ])
})

test('what is no database, or is in use, is refused', async () => {
  const environment = environmentOf(new Map())
  await assert.rejects(verify(DIRECTORY, { environment }), NotFoundError)
  const db = await openIn(environment)
  await assert.rejects(verify(DIRECTORY, { environment }), { code: 'LOCKED' })
  assert.equal((await verify(DIRECTORY, { environment, readOnly: true })).isDamaged, false)
  await db.close()
  await assert.rejects(verify(DIRECTORY, { environment, speed: 1 } as object), { code: 'INVALID_ARGUMENT' })
})

test('a long run tells how far it is, and ends when it is told to', async () => {
  const { directory } = await madeByVarve(3, 300, 50)
  const environment = environmentOf(directory)
  const seen: number[] = []
  const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }): void => {
    seen.push(bytes)
    assert.ok(bytes <= totalBytes)
  }
  await verify(DIRECTORY, { environment, onProgress })
  assert.ok(seen.length > 0)
  await assert.rejects(verify(DIRECTORY, { environment, signal: AbortSignal.abort('enough') }), AbortedError)
  assert.deepEqual([environment.files.openCount, environment.files.locks.size], [0, 0])
})

test('files that another process removes while it reads are not damage, if the MANIFEST says that it is at work', async () => {
  for (const isWritten of [true, false]) {
    const environment = environmentOf(await small())
    const { files } = environment
    const inDirectory = (pattern: RegExp) =>
      files
        .list(DIRECTORY)
        .filter((name) => pattern.test(name))
        .map((name) => files.join(DIRECTORY, name))
    const tables = inDirectory(/ldb$/)
    assert.equal(tables.length, 2)
    const onProgress = (): void => {
      for (const table of tables.splice(0)) files.remove(table)
      for (const manifest of isWritten ? inDirectory(/^MANIFEST/) : []) {
        files.remove(manifest)
        files.createWritable(manifest).close()
      }
    }
    const verified = verify(DIRECTORY, { environment, readOnly: true, onProgress })
    if (isWritten) await assert.rejects(verified, { code: 'STALE' })
    else assert.equal((await verified).isDamaged, true)
  }
})
