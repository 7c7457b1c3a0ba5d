/**
 * Tables whose checksums are all right, and which are not right all the same; and tables that have lost index or footer. What
 * verify finds in them; what a repair gives up, says so, and keeps, with the MANIFEST's levels and without.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repair } from '../../src/admin/repair.ts'
import type { RepairReport } from '../../src/admin/repair-report.ts'
import { verify } from '../../src/admin/verify.ts'
import { DIRECTORY, type Directory, directoryOf, environmentOf, fingerprint, withFile } from '../db/directories.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { bytesOf } from '../table/entries.ts'
import {
  added,
  BEGINNING,
  databaseOf,
  FILTER_NAME,
  type FileBytes,
  HandmadeTable,
  manifestOf,
  tableOf,
} from './handmade.ts'
import { contentIn } from './histories.ts'

const TABLE = '000005.ldb'

/** In level 1, as holding the letters a to f. */
function withLevels(table: FileBytes): Directory {
  const manifest = manifestOf(BEGINNING, added(1, 5, table.length, 'a', 'f'))
  return databaseOf(manifest, { [TABLE]: table })
}

async function findingsOf(table: FileBytes): Promise<string[]> {
  const { findings } = await verify(DIRECTORY, { environment: environmentOf(withLevels(table)) })
  return findings.map(({ severity, offset, message }) => `${severity} at ${offset}: ${message}`)
}

/** What a report gives up, in words: `OFFSET+BYTES REASON`, and between which keys entries are lost. */
function givenUp({ givenUp: list }: RepairReport, file: string = TABLE): string[] {
  const text = (key: Uint8Array | undefined): string => (key === undefined ? '' : Buffer.from(key).toString())
  return list
    .filter((part) => part.file === file)
    .map(({ offset, bytes, reason, losesEntries, from, to }) => {
      const loss = losesEntries ? `, loses ${text(from)}..${text(to)}` : ''
      return `${offset}+${bytes} ${reason}${loss}`
    })
}

interface Case {
  readonly name: string
  readonly make: (table: HandmadeTable) => FileBytes
  /** Of verify. */
  readonly findings: readonly string[]
  /** Without the levels; with them, the MANIFEST's bounds stand where none are known. */
  readonly givenUp: readonly string[]
  /** The letters that are there afterwards. */
  readonly keys: string
  readonly action: 'kept' | 'salvaged' | 'unused'
}

const LOST_END = 'from here on no block can be told'

const CASES: readonly Case[] = [
  {
    name: 'bytes that belong to no block cost nothing',
    make: (table) => {
      table.data('ab')
      table.stray(7).data('cdef')
      return table.finish()
    },
    findings: ['warning at 39: bytes that belong to no block'],
    givenUp: [],
    keys: 'abcdef',
    action: 'kept',
  },
  {
    name: 'a block of a name that nobody knows is passed over',
    make: (table) => {
      table.data('abcdef')
      table.named('stats', bytesOf('anything'))
      return table.finish()
    },
    findings: [],
    givenUp: [],
    keys: 'abcdef',
    action: 'kept',
  },
  {
    name: 'blocks that overlap lose nothing, and are written anew',
    make: (table) => {
      table.name('stats', table.data('ab'))
      table.data('cdef')
      return table.finish()
    },
    findings: ['damage at 0: blocks that overlap'],
    givenUp: ['0+39 blocks that overlap'],
    keys: 'abcdef',
    action: 'salvaged',
  },
  {
    name: 'a filter that is none loses nothing, and is written anew',
    make: (table) => {
      table.data('abcdef')
      table.named(FILTER_NAME, bytesOf('no filter'))
      return table.finish()
    },
    findings: ['damage at 91: the filter is malformed'],
    givenUp: ['91+9 the filter is malformed'],
    keys: 'abcdef',
    action: 'salvaged',
  },
  {
    name: 'a block whose entries do not ascend is given up whole, and its neighbours are not',
    make: (table) => {
      table.data('ab')
      table.data('dc', 'd')
      table.data('ef')
      return table.finish()
    },
    findings: ['damage at 39: entries that do not ascend'],
    givenUp: ['39+34 entries that do not ascend, loses b..d'],
    keys: 'abef',
    action: 'salvaged',
  },
  {
    name: 'without index, the blocks are found by their checksums',
    make: (table) => {
      table.data('ab')
      table.data('cdef')
      return table.finish(['index'])
    },
    findings: ['damage at 117: a block fails its checksum'],
    givenUp: ['117+36 a block fails its checksum'],
    keys: 'abcdef',
    action: 'salvaged',
  },
  {
    name: 'an index that holds what is no handle is no index',
    make: (table) => {
      table.data('abcdef')
      table.indexed('g', bytesOf('a text'))
      return table.finish()
    },
    findings: ['damage at 104: an index entry that is not a block handle'],
    givenUp: ['104+40 an index entry that is not a block handle'],
    keys: 'abcdef',
    action: 'salvaged',
  },
  {
    name: 'without footer, the index that is found tells that all blocks were',
    make: (table) => {
      table.data('ab')
      table.data('cdef')
      return table.finish(['footer'])
    },
    findings: ['damage at 158: not a table: the magic number is missing'],
    givenUp: ['158+48 not a table: the magic number is missing'],
    keys: 'abcdef',
    action: 'salvaged',
  },
  {
    name: 'without footer, values that look like the places of blocks are values',
    make: (table) => {
      table.data('abc', 'c', 2)
      table.data('def', 'f', 2)
      return table.finish(['footer'])
    },
    findings: ['damage at 164: not a table: the magic number is missing'],
    givenUp: ['164+48 not a table: the magic number is missing'],
    keys: 'abcdef',
    action: 'salvaged',
  },
  {
    name: 'without index and footer, nothing tells how much there was behind the last block that is found',
    make: (table) => {
      table.data('ab')
      table.data('cdef')
      return table.finish(['index', 'footer'])
    },
    findings: ['damage at 158: not a table: the magic number is missing', `damage at 117: ${LOST_END}`],
    givenUp: ['158+48 not a table: the magic number is missing', `117+89 ${LOST_END}, loses f..`],
    keys: 'abcdef',
    action: 'salvaged',
  },
  {
    name: 'without index, what lies behind stray bytes is lost, though the footer is right',
    make: (table) => {
      table.data('ab')
      table.stray(7).data('cdef')
      return table.finish(['index'])
    },
    findings: ['damage at 124: a block fails its checksum', `damage at 39: ${LOST_END}`],
    givenUp: ['124+36 a block fails its checksum', `39+174 ${LOST_END}, loses b..`],
    keys: 'ab',
    action: 'salvaged',
  },
  {
    name: 'without index, where nothing at all is found, all is lost',
    make: (table) => {
      table.stray(7).data('abcdef')
      return table.finish(['index'])
    },
    findings: ['damage at 111: a block fails its checksum', `damage at 0: ${LOST_END}`],
    givenUp: ['111+22 a block fails its checksum', `0+186 ${LOST_END}, loses ..`],
    keys: '',
    action: 'salvaged',
  },
  {
    name: 'without footer, a block whose entries do not ascend is given up',
    make: (table) => {
      table.data('ab')
      table.data('dc', 'd')
      table.data('ef')
      return table.finish(['footer'])
    },
    findings: ['damage at 185: not a table: the magic number is missing', 'damage at 39: entries that do not ascend'],
    givenUp: ['185+48 not a table: the magic number is missing', '39+34 entries that do not ascend, loses ..'],
    keys: 'abef',
    action: 'salvaged',
  },
  {
    name: 'a table without entries is not used',
    make: (table) => table.finish(),
    findings: [],
    givenUp: [],
    keys: '',
    action: 'unused',
  },
]

for (const { name, make, findings, givenUp: expected, keys, action } of CASES) {
  test(`${name}: verify`, async () => {
    assert.deepEqual(await findingsOf(make(new HandmadeTable())), findings)
  })

  test(`${name}: repair without levels`, async () => {
    const directory: Directory = new Map([[TABLE, make(new HandmadeTable())]])
    const memory = environmentOf(directory)
    const dry = await repair(DIRECTORY, { environment: memory, dryRun: true })
    assert.equal(fingerprint(directoryOf(memory)), fingerprint(directory))
    const report = await repair(DIRECTORY, { environment: memory })
    assert.deepEqual(givenUp(report), expected)
    assert.deepEqual([dry.givenUp, dry.files[0].action], [report.givenUp, action])
    assert.equal(report.files[0].action, action)
    const movedTo = report.files[0].movedTo ?? TABLE
    assert.deepEqual(directoryOf(memory).get(movedTo), directory.get(TABLE), 'it is there, or in lost/')
    assert.equal([...(await contentIn(memory)).keys()].join(''), keys)
  })
}

for (const { name, make, givenUp: expected, keys, action } of CASES) {
  if (action === 'unused') continue
  test(`${name}: repair with levels`, async () => {
    const memory = environmentOf(withLevels(make(new HandmadeTable())))
    const report = await repair(DIRECTORY, { environment: memory })
    const bounded = expected.map((text) => text.replace('loses ..', 'loses a..f').replace(/\.\.$/, '..f'))
    assert.deepEqual([report.levels, report.isNeeded, givenUp(report)], ['kept', action !== 'kept', bounded])
    assert.equal([...(await contentIn(memory)).keys()].join(''), keys)
    assert.deepEqual((await verify(DIRECTORY, { environment: memory })).isDamaged, false)
  })
}

test('a block that this varve cannot read is told, and not given up: its table stays, or the repair is refused', async () => {
  for (const damaged of [[], ['footer'], ['index']] as const) {
    const table = new HandmadeTable()
    table.data('ab')
    table.unreadable('cdef'.repeat(5))
    const bytes = table.finish(damaged)
    const told = (await findingsOf(bytes)).filter((finding) => finding.startsWith('warning'))
    assert.match(
      told.join(),
      /^warning at 39: the block at byte 39 of [^,]* is compressed with an unknown method \(type 77\)/,
    )
    const memory = environmentOf(withLevels(bytes))
    const report = await repair(DIRECTORY, { environment: memory })
    assert.deepEqual(directoryOf(memory).get(TABLE), bytes)
    assert.deepEqual([report.files[0].action, givenUp(report).filter((text) => text.includes('loses'))], ['kept', []])
    assert.deepEqual(report.warnings, [`${TABLE} could not be checked, and is kept as it is`])
    const alone: Directory = new Map([[TABLE, bytes]])
    const without = environmentOf(alone)
    await assert.rejects(repair(DIRECTORY, { environment: without }), { code: 'NOT_SUPPORTED', file: TABLE })
    assert.equal(fingerprint(directoryOf(without)), fingerprint(alone))
  }
})

test('a sound table of another length than the MANIFEST says is used, and what the right one held is given up', async () => {
  const directory = withLevels(tableOf('bc'))
  const memory = environmentOf(withFile(directory, TABLE, tableOf('bde')))
  const report = await repair(DIRECTORY, { environment: memory })
  const [fault] = givenUp(report)
  assert.match(fault, /^0\+\d+ \d+ bytes long, and the MANIFEST says \d+, loses a\.\.f$/)
  assert.equal([...(await contentIn(memory)).keys()].join(''), 'bde')
})

test('of two tables of one number, the one that an opening takes is used, and the other is given up', async () => {
  const [used, other] = [tableOf('abc'), tableOf('def')]
  const memory = environmentOf(
    new Map([
      ['000005.sst', other],
      ['000005.ldb', used],
    ]),
  )
  const report = await repair(DIRECTORY, { environment: memory })
  assert.deepEqual(givenUp(report, '000005.sst'), [`0+${other.length} 000005.ldb has its number, loses ..`])
  assert.equal([...(await contentIn(memory)).keys()].join(''), 'abc')
  assert.deepEqual(directoryOf(memory).get('000005.sst'), other, 'it is still there')
})

/** An environment in which what begins at this offset of the table cannot be read, or not with this length. */
function failingAt(directory: Directory, offset: number, length: number | '' = ''): FaultEnvironment {
  const environment = new FaultEnvironment(environmentOf(directory), { directory: DIRECTORY, countReads: true })
  environment.setFaults(() =>
    environment.calls.at(-1)?.startsWith(`read ${TABLE} ${offset} ${length}`) ? { code: 'EIO' } : undefined,
  )
  return environment
}

test('a block that the disk cannot read is damage, and given up', async () => {
  const table = new HandmadeTable()
  table.data('ab')
  const { offset } = table.data('cd')
  table.data('ef')
  const directory = withLevels(table.finish())
  const { findings } = await verify(DIRECTORY, { environment: failingAt(directory, offset) })
  assert.deepEqual(
    findings.map(({ severity, offset: at }) => [severity, at]),
    [['damage', offset]],
  )
  assert.match(findings[0].message, /EIO/)
  const report = await repair(DIRECTORY, { environment: failingAt(directory, offset) })
  assert.match(givenUp(report).join(), /^39\+34 .*EIO.*, loses b\.\.d$/)
})

test('a repair is refused that would have to search for blocks where the disk cannot read', async () => {
  const table = new HandmadeTable()
  table.data('abcdef')
  const { bytes } = table.data('ghi')
  const file = table.finish(['index'])
  const directory = withLevels(file)
  // The search itself, and the reading of a block that it has found.
  for (const [offset, length] of [
    [0, file.length],
    [91, bytes + 5],
  ] as const) {
    const environment = failingAt(directory, offset, length)
    const message = /000005\.ldb cannot be salvaged/
    await assert.rejects(repair(DIRECTORY, { environment }), { code: 'IO_ERROR', message })
    const { findings } = await verify(DIRECTORY, { environment: failingAt(directory, offset, length) })
    const told = findings.map(({ file: name, severity, message: text }) => [name, severity, /EIO/.test(text)])
    assert.deepEqual(told, [[TABLE, 'damage', true]])
  }
})

test('an order of keys that fails is no damage: its error comes through, and nothing is changed', async () => {
  const table = new HandmadeTable()
  table.data('ab')
  table.data('cd')
  const failing = (): never => {
    throw new TypeError('it does not compare')
  }
  const directory: Directory = new Map([
    [TABLE, table.finish()],
    ['000007.ldb', table.finish(['footer'])],
  ])
  for (const name of directory.keys()) {
    const one = withFile(new Map(), name, directory.get(name))
    const memory = environmentOf(one)
    for (const call of [verify, repair]) {
      const done = call(DIRECTORY, { environment: memory, comparator: { name: 'test.Failing', compare: failing } })
      await assert.rejects(done, new TypeError('it does not compare'), `${call.name} of ${name}`)
      assert.equal(fingerprint(directoryOf(memory)), fingerprint(one))
      assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
    }
  }
})
