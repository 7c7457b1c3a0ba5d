/**
 * Databases whose MANIFESTs and logs say what cannot be, contradict one another, or are left from before; and what stands in the
 * way of a repair. What the repair believes, what it says that it gives up, and what it refuses without changing anything.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RepairOptions, repair } from '../../src/admin/repair.ts'
import type { RepairReport } from '../../src/admin/repair-report.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { encodeEdit, type VersionEdit } from '../../src/version/version-edit.ts'
import {
  DIRECTORY,
  type Directory,
  directoryOf,
  environmentOf,
  fingerprint,
  flipped,
  openIn,
  withFile,
} from '../db/directories.ts'
import type { FaultPredicate } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { bytesOf } from '../table/entries.ts'
import { added, BEGINNING, batchOf, databaseOf, type FileBytes, logOf, manifestOf, tableOf } from './handmade.ts'
import { contentIn } from './histories.ts'

const MANIFEST = 'MANIFEST-000090'

async function keysIn(memory: MemoryEnvironment): Promise<string> {
  return [...(await contentIn(memory)).keys()].join('')
}

/** `FILE: REASON`, and between which keys entries are lost, of all that is given up. */
function givenUp({ givenUp: list }: RepairReport): string[] {
  const text = (key: Uint8Array | undefined): string => (key === undefined ? '' : Buffer.from(key).toString())
  return list.map(({ file, reason, losesEntries, from, to }) => {
    return `${file}: ${reason}${losesEntries ? `, loses ${text(from)}..${text(to)}` : ''}`
  })
}

/** The directory's repair is refused with an error of this code, and nothing is changed. */
async function refused(
  directory: Directory,
  code: string,
  options: RepairOptions & { readonly faultAt?: FaultPredicate } = {},
): Promise<void> {
  const memory = environmentOf(directory)
  const before = fingerprint(directoryOf(memory))
  const { faultAt, ...others } = options
  const environment = new FaultEnvironment(memory, {
    directory: DIRECTORY,
    countReads: true,
    ...(faultAt && { faultAt }),
  })
  await assert.rejects(repair(DIRECTORY, { environment, ...others }), { code })
  assert.equal(fingerprint(directoryOf(memory)), before)
  assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
}

/** The length of the table of these letters. */
function lengthOf(letters: string): number {
  return tableOf(letters).length
}

/** An edit that adds the table of these letters. */
function adds(level: number, number: number, letters: string): VersionEdit {
  return added(level, number, lengthOf(letters), letters[0], letters.slice(-1))
}

function drops(level: number, number: number): VersionEdit {
  return { deletedFiles: [{ level, number: fileNumber(number) }] }
}

interface Case {
  readonly name: string
  readonly files: Directory
  readonly levels: 'kept' | 'rebuilt'
  readonly givenUp: readonly string[]
  /** The letters that are there afterwards. */
  readonly keys: string
  /** What one of the warnings says. */
  readonly warning?: RegExp
}

const [ABC, BCDE, DEF] = [tableOf('abc'), tableOf('bcde'), tableOf('def')]
const TWO_TABLES = { '000005.ldb': ABC, '000006.ldb': DEF }
const NO_EDIT = Uint8Array.of(99)
const NO_CURRENT = 'CURRENT: missing'
const LEVELS_LOST = /^the levels were lost/

const CASES: readonly Case[] = [
  {
    name: 'a MANIFEST that describes an impossible database is not followed, and its tables are merged',
    files: databaseOf(manifestOf(BEGINNING, adds(1, 5, 'abc'), adds(1, 6, 'bcde')), {
      '000005.ldb': ABC,
      '000006.ldb': BCDE,
    }),
    levels: 'rebuilt',
    givenUp: [`${MANIFEST}: tables 5 and 6 of level 1 overlap`],
    keys: 'abcde',
    warning: LEVELS_LOST,
  },
  {
    name: 'of a MANIFEST with a record that is no edit, the others tell which tables are obsolete',
    files: databaseOf(
      logOf([
        ...[BEGINNING, adds(1, 5, 'abc')].map(encodeEdit),
        NO_EDIT,
        ...[drops(1, 5), adds(1, 6, 'def')].map(encodeEdit),
      ]),
      TWO_TABLES,
    ),
    levels: 'rebuilt',
    givenUp: [`${MANIFEST}: version edit has the unknown field 99`],
    keys: 'def',
    warning: LEVELS_LOST,
  },
  {
    name: 'MANIFESTs are read in the order of their numbers, not of their names',
    files: new Map<string, FileBytes>([
      ['MANIFEST-999999', manifestOf(BEGINNING, adds(1, 5, 'abc'))],
      ['MANIFEST-1000000', logOf([...[BEGINNING, drops(1, 5), adds(1, 6, 'def')].map(encodeEdit), NO_EDIT])],
      ...Object.entries(TWO_TABLES),
    ]),
    levels: 'rebuilt',
    givenUp: [NO_CURRENT, 'MANIFEST-1000000: version edit has the unknown field 99'],
    keys: 'def',
    warning: LEVELS_LOST,
  },
  {
    name: 'logs are replayed in the order of their numbers, not of their names',
    files: new Map<string, FileBytes>([
      [MANIFEST, manifestOf(BEGINNING, adds(1, 5, 'abc'))],
      ['000005.ldb', ABC],
      ['999999.log', logOf([batchOf('xy')])],
      ['1000000.log', logOf([batchOf('z')])],
    ]),
    levels: 'kept',
    givenUp: [NO_CURRENT],
    keys: 'abcxyz',
  },
  {
    name: 'a record of a log with the right checksum that is no batch is given up, and those around it are not',
    files: databaseOf(manifestOf(BEGINNING), {
      '000007.log': logOf([batchOf('ab'), batchOf('cd').slice(0, -1), batchOf('ef')]),
    }),
    levels: 'kept',
    givenUp: ['000007.log: batch op is cut short, loses ..'],
    keys: 'abef',
  },
  {
    name: 'tables that were exchanged are found out by their bounds, and their entries decide',
    files: databaseOf(manifestOf(BEGINNING, adds(1, 5, 'abc'), adds(1, 6, 'def')), {
      '000005.ldb': DEF,
      '000006.ldb': ABC,
    }),
    levels: 'rebuilt',
    givenUp: [],
    keys: 'abcdef',
    warning: /^tables hold other keys than the MANIFEST says/,
  },
  {
    name: 'tables of two runs that overlap are merged into one',
    files: new Map<string, FileBytes>([...Object.entries(TWO_TABLES), ['000007.ldb', BCDE]]),
    levels: 'rebuilt',
    givenUp: [NO_CURRENT],
    keys: 'abcdef',
    warning: LEVELS_LOST,
  },
  {
    name: 'a table that is missing, and that later tables span, was compacted into them, as it seems',
    files: databaseOf(logOf([...[BEGINNING, adds(1, 4, 'cd')].map(encodeEdit), NO_EDIT]), TWO_TABLES),
    levels: 'rebuilt',
    givenUp: [
      `${MANIFEST}: version edit has the unknown field 99`,
      '000004.ldb: missing: compacted into later tables, as it seems',
    ],
    keys: 'abcdef',
    warning: /^000004\.ldb is missing: no record that can be read says so/,
  },
  {
    name: 'a table that is missing is lost, if one of the later tables that span it is damaged',
    files: databaseOf(logOf([...[BEGINNING, adds(1, 4, 'cd')].map(encodeEdit), NO_EDIT]), {
      ...TWO_TABLES,
      '000006.ldb': flipped(DEF, 0),
    }),
    levels: 'rebuilt',
    givenUp: [
      `${MANIFEST}: version edit has the unknown field 99`,
      '000006.ldb: a block fails its checksum, loses ..f',
      '000004.ldb: missing, though a MANIFEST names it, loses c..d',
    ],
    keys: 'abc',
    warning: LEVELS_LOST,
  },
  {
    name: 'a table that is missing is lost, if there is no later one',
    files: databaseOf(logOf([...[BEGINNING, adds(1, 4, 'cd'), adds(1, 5, 'abc')].map(encodeEdit), NO_EDIT]), {
      '000005.ldb': ABC,
    }),
    levels: 'rebuilt',
    givenUp: [
      `${MANIFEST}: version edit has the unknown field 99`,
      '000004.ldb: missing, though a MANIFEST names it, loses c..d',
    ],
    keys: 'abc',
    warning: LEVELS_LOST,
  },
  {
    name: 'a table and a log that the MANIFEST names, and that are missing, are given up, the table with its bounds',
    files: databaseOf(manifestOf({ ...BEGINNING, logNumber: fileNumber(8) }, adds(1, 4, 'xyz'), adds(1, 5, 'abc')), {
      '000005.ldb': ABC,
    }),
    levels: 'kept',
    givenUp: [
      '000004.ldb: missing, though the MANIFEST names it, loses x..z',
      '000008.log: missing, though the MANIFEST names it, loses ..',
    ],
    keys: 'abc',
  },
]

for (const { name, files, levels, givenUp: expected, keys, warning } of CASES) {
  test(name, async () => {
    const memory = environmentOf(files)
    const before = fingerprint(directoryOf(memory))
    const dry = await repair(DIRECTORY, { environment: memory, dryRun: true })
    assert.equal(fingerprint(directoryOf(memory)), before)
    const report = await repair(DIRECTORY, { environment: memory })
    assert.deepEqual([report.levels, report.isNeeded, givenUp(report)], [levels, true, expected])
    // A description that is not followed costs no bytes of anything.
    for (const { file, bytes } of report.givenUp) if (/^(CURRENT|MANIFEST)/.test(file)) assert.equal(bytes, 0, file)
    assert.deepEqual([dry.levels, dry.givenUp, dry.warnings], [report.levels, report.givenUp, report.warnings])
    if (warning === undefined) assert.deepEqual(report.warnings, [])
    else
      assert.ok(
        report.warnings.some((text) => warning.test(text)),
        report.warnings.join(),
      )
    assert.equal(await keysIn(memory), keys)
    const again = await repair(DIRECTORY, { environment: memory })
    assert.deepEqual([again.isNeeded, again.givenUp], [false, []])
  })
}

test('another order of keys is refused, also when only single records of a damaged MANIFEST tell', async () => {
  const other = { ...BEGINNING, comparator: 'test.Reverse' }
  for (const records of [
    [encodeEdit(other), NO_EDIT],
    [encodeEdit(BEGINNING), NO_EDIT, encodeEdit(other)],
  ]) {
    await refused(databaseOf(logOf(records), TWO_TABLES), 'INVALID_ARGUMENT')
  }
})

test('arguments that are none are refused', async () => {
  const files = databaseOf(manifestOf(BEGINNING), {})
  for (const options of [
    { dryRun: 'yes' },
    { speed: 1 },
    { blockBytes: -1 },
    { compression: 'best' },
    { signal: 'stop' },
    { onProgress: true },
  ]) {
    await refused(files, 'INVALID_ARGUMENT', options as unknown as RepairOptions)
  }
  await assert.rejects(repair(''), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(repair(DIRECTORY, { environment: environmentOf(new Map()) }), { code: 'NOT_FOUND' })
})

test('what is not a file where one should be is no reason to lose anything else; what cannot be moved away stays, or the repair is refused', async () => {
  const files = databaseOf(manifestOf(BEGINNING, adds(1, 5, 'abc')), {
    '000005.ldb': ABC,
    '000007.log': logOf([batchOf('d')]),
  })
  // In this environment, directories cannot be renamed.
  const left: Record<string, string> = { [MANIFEST]: 'abcd', '000005.ldb': 'd', '000007.log': 'abc' }
  for (const name of files.keys()) {
    const memory = environmentOf(withFile(files, name, undefined))
    memory.files.makeDirectory(`${DIRECTORY}/${name}`)
    const before = fingerprint(directoryWithout(memory, name))
    const done = repair(DIRECTORY, { environment: memory })
    if (name === 'CURRENT') {
      await assert.rejects(done, ({ code, message }) => code === 'IO_ERROR' && message.includes(name), name)
      assert.equal(fingerprint(directoryWithout(memory, name)), before)
    } else {
      const { warnings } = await done
      assert.ok(warnings[0].startsWith(`${name} is not a file`))
      assert.equal(await keysIn(memory), left[name])
    }
    assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
  }
  const later = manifestOf({ ...BEGINNING, logNumber: fileNumber(7) }, adds(1, 5, 'abc'))
  const memory = environmentOf(withFile(withFile(files, MANIFEST, later), 'CURRENT', undefined))
  for (const name of ['MANIFEST-000050', '000003.log']) memory.files.makeDirectory(`${DIRECTORY}/${name}`)
  assert.equal((await repair(DIRECTORY, { environment: memory })).levels, 'kept')
  assert.equal(await keysIn(memory), 'abcd')
})

/** The files, but for a directory among them. */
function directoryWithout(memory: MemoryEnvironment, name: string): Directory {
  const paths = memory.paths().filter((path) => path.startsWith(`${DIRECTORY}/`) && !path.endsWith(`/${name}`))
  return new Map(paths.filter((path) => !path.endsWith('/LOCK')).map((path) => [path, memory.readAll(path)]))
}

test('a log that the disk cannot read is no damaged log: the repair is refused', async () => {
  const files = databaseOf(manifestOf(BEGINNING), { '000007.log': logOf([batchOf('abc')]) })
  const faultAt: FaultPredicate = ({ op, path }) =>
    op === 'read' && path === '000007.log' ? { code: 'EIO' } : undefined
  await refused(files, 'IO_ERROR', { faultAt })
})

test('a table that cannot be read while it is merged fails the repair, and leaves nothing open or new', async () => {
  const files: Directory = new Map(Object.entries({ '000005.ldb': ABC, '000006.ldb': BCDE }))
  for (const op of ['read', 'open'] as const) {
    const memory = environmentOf(files)
    const environment: FaultEnvironment = new FaultEnvironment(memory, {
      directory: DIRECTORY,
      countReads: true,
      // Only a merge reads a table's tail, which is all of a small one, and opens the table after the other's new one is made.
      faultAt: (call) => {
        const isTail = environment.calls.at(-1) === `read 000006.ldb 0 ${BCDE.length}`
        const isOpenAgain = environment.calls.filter((line) => line === 'open 000006.ldb').length === 2
        return call.op === op && (isTail || isOpenAgain) ? { code: 'EIO' } : undefined
      },
    })
    await assert.rejects(repair(DIRECTORY, { environment }), { code: 'IO_ERROR' }, op)
    assert.equal(fingerprint(directoryOf(memory)), fingerprint(files), op)
    assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0], op)
  }
})

test('what others did until the lock was had is part of the repair', async () => {
  const before = databaseOf(manifestOf(BEGINNING), { '000005.ldb': ABC, '000007.log': logOf([batchOf('ab')]) })
  const closing = { ...BEGINNING, logNumber: fileNumber(9) }
  const after = databaseOf(manifestOf(closing, adds(1, 8, 'ab')), {
    '000008.ldb': tableOf('ab'),
    '000009.log': logOf([batchOf('cd')]),
  })
  const memory = environmentOf(before)
  const environment = new FaultEnvironment(memory, {
    directory: DIRECTORY,
    faultAt: ({ op }) => {
      // Whoever had it open has flushed, and closed it.
      if (op === 'lock') for (const [name, bytes] of after) memory.write(`${DIRECTORY}/${name}`, bytes)
      return undefined
    },
  })
  const report = await repair(DIRECTORY, { environment })
  assert.deepEqual([report.isNeeded, givenUp(report)], [false, []])
  assert.equal(await keysIn(memory), 'abcd')
})

test('a table that vanishes while the repair looks is missing, and no more than that', async () => {
  const files = databaseOf(manifestOf(BEGINNING, adds(1, 5, 'abc'), adds(1, 6, 'def')), TWO_TABLES)
  const memory = environmentOf(files)
  const environment = new FaultEnvironment(memory, {
    directory: DIRECTORY,
    faultAt: ({ op, path }) => {
      const isThere = memory.files.status(`${DIRECTORY}/${path}`) !== undefined
      if (op === 'status' && path === '000006.ldb' && isThere) memory.files.remove(`${DIRECTORY}/${path}`)
      return undefined
    },
  })
  const report = await repair(DIRECTORY, { environment })
  assert.deepEqual(givenUp(report), ['000006.ldb: missing, though the MANIFEST names it, loses d..f'])
  assert.equal(await keysIn(memory), 'abc')
})

test('what is in lost/ stays there, and what comes gets another name', async () => {
  const memory = environmentOf(new Map([['000007.log', logOf([batchOf('abc')])], ...Object.entries(TWO_TABLES)]))
  const before = ['000007.log', '000007.log.1', '000007.log.3']
  for (const name of before) memory.write(`${DIRECTORY}/lost/${name}`, bytesOf(name))
  const report = await repair(DIRECTORY, { environment: memory })
  assert.equal(report.files.find(({ name }) => name === '000007.log')?.movedTo, 'lost/000007.log.2')
  for (const name of before) assert.deepEqual(memory.readAll(`${DIRECTORY}/lost/${name}`), bytesOf(name))
  assert.deepEqual(memory.readAll(`${DIRECTORY}/lost/000007.log.2`), logOf([batchOf('abc')]))
})

test('where nothing is replaced, there is no lost/', async () => {
  const memory = environmentOf(new Map(Object.entries(TWO_TABLES)))
  const report = await repair(DIRECTORY, { environment: memory })
  assert.deepEqual(
    report.files.map(({ name, action }) => [name, action]),
    [
      ['000005.ldb', 'kept'],
      ['000006.ldb', 'kept'],
    ],
  )
  assert.equal(memory.files.status(`${DIRECTORY}/lost`), undefined)
  assert.equal(await keysIn(memory), 'abcdef')
})

test('a long repair tells how far it is, and never that it has done more than there is', async () => {
  const damaged = { '000005.ldb': flipped(ABC, 0), '000006.ldb': flipped(DEF, 0) }
  const logs = { '000007.log': logOf([batchOf('xyz')]) }
  for (const files of [new Map(Object.entries({ ...damaged, ...logs })), CASES[5].files]) {
    const memory = environmentOf(files)
    let last = 0
    const onProgress = ({ bytes, totalBytes }: { readonly bytes: number; readonly totalBytes: number }): void => {
      assert.ok(bytes > last && bytes <= totalBytes, `${bytes} of ${totalBytes}`)
      last = bytes
      memory.clock.advance(1000)
    }
    await repair(DIRECTORY, { environment: memory, onProgress })
    assert.ok(last > 0)
  }
})

test('where no sequence numbers are left, a repair is refused, and nothing is changed', async () => {
  const end = { ...BEGINNING, lastSequence: sequenceNumber(Number.MAX_SAFE_INTEGER) }
  const files = databaseOf(logOf([encodeEdit(end), NO_EDIT]), TWO_TABLES)
  for (const dryRun of [true, false]) await refused(files, 'CORRUPTION', { dryRun })
})

test('a repaired database has file numbers left, whatever numbers the files and the MANIFEST had', async () => {
  const last = Number.MAX_SAFE_INTEGER
  const end = { ...BEGINNING, nextFile: fileNumber(last) }
  const memory = environmentOf(
    databaseOf(manifestOf(end, adds(1, 5, 'abc')), { '000005.ldb': ABC, [`${last}.ldb`]: DEF }),
  )
  const {
    givenUp: [{ reason }],
  } = await repair(DIRECTORY, { environment: memory })
  assert.equal(reason, `manifest leaves no file numbers: the next one is ${last}`)
  for (const key of ['g', 'h']) {
    const db = await openIn(memory)
    await db.put(key, key)
    await db.close()
  }
  assert.equal(await keysIn(memory), 'abcdefgh')
})
