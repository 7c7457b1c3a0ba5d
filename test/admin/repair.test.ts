/**
 * repair: whatever is missing or damaged, afterwards the database opens and is sound; it holds nothing that was not written; and
 * an entry that is not what it was in the end lies in what the report gives up.
 */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { repair } from '../../src/admin/repair.ts'
import type { RepairReport } from '../../src/admin/repair-report.ts'
import { handlesOf } from '../../src/admin/table-handles.ts'
import { verify } from '../../src/admin/verify.ts'
import { putFixed32 } from '../../src/base/coding.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { Prng } from '../../src/base/prng.ts'
import { CRASH_MODES } from '../../src/env/crash-image.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
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
  recordEnds,
  withFile,
} from '../db/directories.ts'
import { CrashedError, FaultEnvironment } from '../support/fault-env.ts'
import { contentIn, type Made, madeByLevel, madeByVarve, madeWithCompactions } from './histories.ts'

let databases: readonly Made[]

before(async () => {
  databases = [await madeByVarve(11, 500, 90), await madeByVarve(12, 300, 1000), await madeByLevel(13, 9000)]
})

const OPTIONS = { writeBufferBytes: 16384 }

/** Whether the report says that entries of this key may be missing. */
function isGivenUp({ givenUp }: RepairReport, key: string): boolean {
  return givenUp.some(({ losesEntries, from, to }) => {
    const isAfter = from === undefined || key >= Buffer.from(from).toString()
    const isBefore = to === undefined || key <= Buffer.from(to).toString()
    return losesEntries && isAfter && isBefore
  })
}

async function checkRepaired(
  memory: MemoryEnvironment,
  made: Made,
  report: RepairReport,
  what: string,
  isGone: boolean = false,
): Promise<void> {
  const { findings } = await verify(DIRECTORY, { environment: memory })
  const told = findings.filter(({ severity }) => severity !== 'note')
  assert.deepEqual(told, [], what)
  const content = await contentIn(memory)
  for (const key of content.keys()) assert.ok(made.history.writes.has(key), `${what}: ${key} was never written`)
  for (const [key, states] of made.history.writes) {
    const value = content.get(key)
    if (value === states.at(-1)) continue
    assert.ok(value === undefined || states.includes(value), `${what}: ${key} has a value that was never written`)
    // Without the MANIFEST nobody can tell that a whole file is missing; the report says that.
    if (isGone && report.levels === 'rebuilt' && report.warnings.length > 0) continue
    assert.ok(isGivenUp(report, key), `${what}: ${key} is not what it was, and that is not reported`)
  }
}

async function repaired(directory: Directory, made: Made, what: string): Promise<RepairReport> {
  const isGone = [...made.directory.keys()].some((name) => /ldb|log$/.test(name) && !directory.has(name))
  const memory = environmentOf(directory)
  const dry = await repair(DIRECTORY, { ...OPTIONS, environment: memory, dryRun: true })
  assert.equal(fingerprint(directoryOf(memory)), fingerprint(directory), `${what}: a dry run changed files`)
  const report = await repair(DIRECTORY, { ...OPTIONS, environment: memory })
  assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0], what)
  assert.deepEqual([dry.isNeeded, dry.levels, dry.givenUp], [report.isNeeded, report.levels, report.givenUp], what)
  checkNothingDeleted(memory, directory, report, what)
  await checkRepaired(memory, made, report, what, isGone)
  return report
}

/** Every file is where it was, or in lost/, byte by byte. */
function checkNothingDeleted(
  memory: MemoryEnvironment,
  directory: Directory,
  report: RepairReport,
  what: string,
): void {
  if (!report.isNeeded) {
    assert.equal(fingerprint(directoryOf(memory)), fingerprint(directory), what)
    return
  }
  const now = directoryOf(memory)
  for (const [name, bytes] of directory) {
    if (name === 'CURRENT') continue
    const movedTo = report.files.find((file) => file.name === name)?.movedTo
    assert.deepEqual(now.get(movedTo ?? name), bytes, `${what}: ${name} is neither there nor in lost`)
  }
}

test('LevelDB’s database has tables in several levels', async () => {
  const { files } = await verify(DIRECTORY, { environment: environmentOf(databases[2].directory) })
  assert.ok(new Set(files.map(({ level }) => level)).size > 2, 'or it does not test what it should')
})

test('a sound database is left as it is', async () => {
  for (const made of databases) {
    const report = await repaired(made.directory, made, made.name)
    assert.deepEqual([report.isNeeded, report.givenUp, report.warnings], [false, [], []], made.name)
  }
})

test('without CURRENT or MANIFEST nothing at all is lost', async () => {
  for (const made of databases) {
    const manifest = [...made.directory.keys()].find((name) => name.startsWith('MANIFEST'))!
    const noCurrent = withFile(made.directory, 'CURRENT', undefined)
    const cases: readonly [what: string, directory: Directory, levels: string][] = [
      ['no CURRENT', noCurrent, 'kept'],
      ['rubbish in CURRENT', withFile(made.directory, 'CURRENT', new Uint8Array(16)), 'kept'],
      ['no MANIFEST', withFile(made.directory, manifest, undefined), 'rebuilt'],
      ['neither', withFile(noCurrent, manifest, undefined), 'rebuilt'],
      ['an empty MANIFEST', withFile(made.directory, manifest, new Uint8Array(0)), 'rebuilt'],
    ]
    for (const [what, directory, levels] of cases) {
      const report = await repaired(directory, made, `${made.name}, ${what}`)
      assert.deepEqual([report.levels, report.givenUp.some(({ losesEntries }) => losesEntries)], [levels, false], what)
    }
  }
})

test('a MANIFEST that is cut off anywhere loses nothing', async () => {
  const [made] = databases
  const [name, bytes] = [...made.directory].find(([candidate]) => candidate.startsWith('MANIFEST'))!
  for (let length = 0; length < bytes.length; length++) {
    const report = await repaired(withFile(made.directory, name, bytes.slice(0, length)), made, `cut to ${length}`)
    assert.ok(!report.givenUp.some(({ losesEntries }) => losesEntries), `cut to ${length}`)
  }
})

test('a MANIFEST that is cut off anywhere loses nothing of what had been compacted since', async (t) => {
  const made = await madeWithCompactions(61, 600)
  const [name, bytes] = [...made.directory].find(([candidate]) => candidate.startsWith('MANIFEST'))!
  let missing = 0
  for (let length = 0; length < bytes.length; length += 3) {
    const report = await repaired(withFile(made.directory, name, bytes.slice(0, length)), made, `cut to ${length}`)
    const lost = report.givenUp.filter(({ losesEntries }) => losesEntries)
    assert.deepEqual(lost, [], `cut to ${length}`)
    const named = report.givenUp.filter(({ reason }) => reason.startsWith('missing')).map(({ file }) => file)
    for (const file of named)
      assert.ok(
        report.warnings.some((warning) => warning.startsWith(`${file} is missing`)),
        file,
      )
    missing += named.length
  }
  t.diagnostic(`${missing} tables that the cut MANIFESTs name had been compacted away`)
  assert.ok(missing > 100, 'or it does not test what it should')
})

test('a table that is missing, and that no later table spans, is lost, also with the end of the MANIFEST', async () => {
  const directory = new Map(
    await leftBy(async (db) => {
      for (const key of ['a', 'm', 'z']) {
        await db.put(key, '1')
        await db.flush()
      }
    }),
  )
  const [first, , last] = [...directory.keys()].filter((name) => name.endsWith('.ldb'))
  const [name, manifest] = [...directory].find(([candidate]) => candidate.startsWith('MANIFEST'))!
  const ends = recordEnds(manifest)
  directory.set(name, manifest.slice(0, ends.at(-2)))
  directory.delete(first)
  const report = await repair(DIRECTORY, { environment: environmentOf(directory) })
  assert.equal(report.levels, 'rebuilt', `${last} is known to no record`)
  assert.deepEqual(
    report.givenUp
      .filter(({ losesEntries }) => losesEntries)
      .map(({ file, from, to }) => [file, String(from), String(to)]),
    [[first, '97', '97']],
  )
})

test('of a file that is missing, only its own entries are', async () => {
  for (const made of databases) {
    for (const name of made.directory.keys()) {
      const report = await repaired(withFile(made.directory, name, undefined), made, `${made.name} without ${name}`)
      assert.equal(report.isNeeded, true)
      if (/\.(ldb|log)$/.test(name))
        assert.ok(
          report.givenUp.some(({ file }) => file === name),
          name,
        )
    }
  }
})

/** Damage one to three files of a database, each in one of several ways. */
function damaged(directory: Directory, prng: Prng): { readonly directory: Directory; readonly what: string } {
  let changed = directory
  const what: string[] = []
  for (let count = 1 + prng.below(3); count > 0; count--) {
    const names = [...changed.keys()]
    const name = names[prng.below(names.length)]
    const bytes = changed.get(name)!
    // A log that ends with a record is a log: nothing tells that there was more.
    const ends = name.endsWith('.log') ? recordEnds(bytes) : []
    let at = prng.below(bytes.length + 1)
    if (ends.includes(at)) at++
    const way = prng.below(6)
    if (way === 0) changed = withFile(changed, name, undefined)
    else if (way === 1) changed = withFile(changed, name, bytes.slice(0, at))
    else if (way === 2) changed = withFile(changed, name, new Uint8Array([...bytes, ...bytes.subarray(0, at)]))
    else if (way === 3) {
      const holed = bytes.slice()
      holed.fill(0, at, at + prng.below(5000))
      changed = withFile(changed, name, holed)
    } else if (bytes.length > 0) changed = withFile(changed, name, flipped(bytes, at % bytes.length))
    what.push(`${name} ${['removed', 'cut', 'grown', 'holed', 'flipped', 'flipped'][way]} at ${at}`)
    if (changed.size < 2) break
  }
  return { directory: changed, what: what.join(', ') }
}

describe('random damage', () => {
  for (let seed = 1; seed <= 60; seed++) {
    test(`seed ${seed}`, async () => {
      const prng = new Prng(seed)
      const made = databases[prng.below(databases.length)]
      const { directory, what } = damaged(made.directory, prng)
      const isDatabase = [...directory.keys()].some((name) => /CURRENT|MANIFEST|ldb$/.test(name))
      if (isDatabase) await repaired(directory, made, `seed ${seed}, ${made.name}: ${what}`)
    })
  }
})

test('every flipped byte of a small database is repaired, and what it costs is reported', async (t) => {
  const made = await madeByVarve(21, 40, 15)
  let count = 0
  let losses = 0
  for (const [name, bytes] of made.directory) {
    for (let at = 0; at < bytes.length; at += 5) {
      const report = await repaired(withFile(made.directory, name, flipped(bytes, at)), made, `byte ${at} of ${name}`)
      count++
      if (report.givenUp.some(({ losesEntries }) => losesEntries)) losses++
    }
  }
  t.diagnostic(`${count} bytes flipped; ${losses} of them cost entries, all reported`)
})

test('what had been deleted does not come back from a table that the MANIFEST gave up', async () => {
  const directory = new Map(
    await leftBy(async (db) => {
      await db.put('a', 'old')
      await db.flush()
      await db.delete('a')
      await db.flush()
    }),
  )
  const stale = await leftBy(async (db) => {
    await db.put('a', 'stale')
    await db.flush()
  })
  // As a removal that failed leaves it.
  directory.set('000099.ldb', [...stale].find(([name]) => name.endsWith('.ldb'))![1])
  directory.delete('CURRENT')
  const memory = environmentOf(directory)
  const report = await repair(DIRECTORY, { environment: memory })
  assert.equal(report.levels, 'kept')
  assert.equal((await contentIn(memory)).size, 0)
  assert.equal(report.files.find(({ name }) => name === '000099.ldb')?.movedTo, 'lost/000099.ldb')
})

test('with the levels lost, sequence numbers decide, not file numbers', async () => {
  const older = await leftBy(async (db) => {
    await db.put('a', 'older')
    await db.put('b', 'only')
    await db.flush()
  })
  const newer = await leftBy(async (db) => {
    for (let i = 0; i < 10; i++) await db.put('a', `newer ${i}`)
    await db.flush()
  })
  const table = (directory: Directory): Uint8Array<ArrayBuffer> =>
    [...directory].find(([name]) => name.endsWith('.ldb'))![1]
  const memory = environmentOf(
    new Map([
      ['000005.ldb', table(newer)],
      ['000009.ldb', table(older)],
    ]),
  )
  const report = await repair(DIRECTORY, { environment: memory })
  assert.deepEqual(
    [...(await contentIn(memory))],
    [
      ['a', 'newer 9'],
      ['b', 'only'],
    ],
  )
  assert.equal(report.lastSequence, 10)
  assert.equal(report.warnings.length, 1)
})

test('a repair that a crash cuts short can be repeated', async (t) => {
  const made = await madeByVarve(31, 120, 35)
  const tables = [...made.directory.keys()].filter((name) => name.endsWith('.ldb'))
  const broken = withFile(made.directory, tables[1], flipped(made.directory.get(tables[1])!, 10))
  let crashes = 0
  for (const directory of [broken, withFile(broken, 'CURRENT', undefined), withoutManifest(broken)]) {
    const first = await repair(DIRECTORY, { ...OPTIONS, environment: environmentOf(directory) })
    for (let stopAt = 1; ; stopAt++) {
      const memory = environmentOf(directory)
      const environment = new FaultEnvironment(memory, { directory: DIRECTORY, stopAt })
      try {
        await repair(DIRECTORY, { ...OPTIONS, environment })
        break
      } catch (error) {
        if (!(error instanceof CrashedError)) throw error
      }
      crashes++
      const prng = new Prng(stopAt)
      for (const image of [memory.processCrashImage(), memory.crashImage(CRASH_MODES[stopAt % 6], prng)]) {
        const second = await repair(DIRECTORY, { ...OPTIONS, environment: image })
        const both = { ...second, givenUp: [...first.givenUp, ...second.givenUp] }
        await checkRepaired(image, made, both, `crash before call ${stopAt}`)
      }
    }
  }
  t.diagnostic(`${crashes} crashes, each seen by the process and by the disk`)
})

function withoutManifest(directory: Directory): Directory {
  return withFile(directory, [...directory.keys()].find((name) => name.startsWith('MANIFEST'))!, undefined)
}

test('a repair that fails leaves what it found', async () => {
  const made = await madeByVarve(41, 120, 35)
  const directory = withoutManifest(made.directory)
  const memory = environmentOf(directory)
  for (const op of ['create', 'append', 'sync', 'sync-dir', 'rename'] as const) {
    const environment = new FaultEnvironment(memory, {
      directory: DIRECTORY,
      faultAt: (call) => (call.op === op && call.path !== 'LOCK' ? { code: 'ENOSPC' } : undefined),
    })
    await assert.rejects(repair(DIRECTORY, { ...OPTIONS, environment }), { code: 'IO_ERROR' }, op)
    const left = directoryOf(memory)
    for (const [name, bytes] of directory) if (name !== 'CURRENT') assert.deepEqual(left.get(name), bytes, name)
    assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0], op)
  }
  const report = await repair(DIRECTORY, { ...OPTIONS, environment: memory })
  await checkRepaired(memory, made, report, 'after failures')
})

test('a repair that fails removes the tables that it wrote, unless a MANIFEST may name them', async () => {
  const made = await madeByVarve(41, 120, 35)
  const directory = withoutManifest(made.directory)
  const newTablesAfter = async (created: RegExp): Promise<string[]> => {
    const memory = environmentOf(directory)
    const environment = new FaultEnvironment(memory, {
      directory: DIRECTORY,
      faultAt: (call) => (call.op === 'create' && created.test(call.path) ? { code: 'ENOSPC' } : undefined),
    })
    await assert.rejects(repair(DIRECTORY, { ...OPTIONS, environment }), { code: 'IO_ERROR' })
    return [...directoryOf(memory).keys()].filter((name) => /^\d+\.ldb$/.test(name) && !directory.has(name))
  }
  // The log and the MANIFEST are what is made last.
  assert.deepEqual(await newTablesAfter(/^\d+\.log$/), [])
  assert.notDeepEqual(await newTablesAfter(/^MANIFEST/), [])
})

test('writing goes on where the repaired history ends', async () => {
  const [made] = databases
  const memory = environmentOf(withoutManifest(made.directory))
  const { lastSequence } = await repair(DIRECTORY, { ...OPTIONS, environment: memory })
  const db = await openIn(memory)
  assert.equal(db.stats().lastSequence, lastSequence)
  await db.put('key/00001', 'new')
  await db.close()
  assert.equal((await contentIn(memory)).get('key/00001'), 'new')
})

/** The table with its first block of a compression that nobody knows, and with the right checksum. */
function unreadable(table: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const memory = environmentOf(new Map([['000001.ldb', table]]))
  const file = memory.files.openRandomAccess(`${DIRECTORY}/000001.ldb`)
  const { index } = readFooter(file)
  const [{ handle }] = handlesOf(new Block(readBlock(file, index, undefined), '', 0))
  const changed = table.slice()
  changed[handle.offset + handle.bytes] = 77
  const crc = crc32c(changed, handle.offset, handle.bytes + 1)
  putFixed32(changed, handle.offset + handle.bytes + 1, maskCrc(crc))
  return changed
}

test('a table that this varve cannot read is kept, or the repair refused, but never given up', async () => {
  const made = await madeByVarve(51, 80, 30)
  const name = [...made.directory.keys()].find((candidate) => candidate.endsWith('.ldb'))!
  const directory = withFile(made.directory, name, unreadable(made.directory.get(name)!))
  const { findings, isDamaged } = await verify(DIRECTORY, { environment: environmentOf(directory) })
  assert.equal(isDamaged, false)
  assert.match(findings.map(({ message }) => message).join(), /compressed with an unknown method/)
  const kept = environmentOf(withFile(directory, 'CURRENT', undefined))
  const report = await repair(DIRECTORY, { environment: kept })
  assert.deepEqual([report.levels, report.files.find((file) => file.name === name)?.action], ['kept', 'kept'])
  assert.match(report.warnings.join(), /could not be checked/)
  const lost = withoutManifest(directory)
  const memory = environmentOf(lost)
  await assert.rejects(repair(DIRECTORY, { environment: memory }), { code: 'NOT_SUPPORTED' })
  assert.equal(fingerprint(directoryOf(memory)), fingerprint(lost))
})

test('another order of keys than the database was made with is refused, also when only a part of the MANIFEST tells', async () => {
  const comparator = { name: 'test.Reverse', compare: (a: Uint8Array, b: Uint8Array) => -Buffer.compare(a, b) }
  const directory = await leftBy(
    async (db) => {
      for (const key of ['a', 'b', 'c']) await db.put(key, key)
      await db.flush()
    },
    { comparator },
  )
  const [name, manifest] = [...directory].find(([candidate]) => candidate.startsWith('MANIFEST'))!
  const damaged = withFile(directory, name, manifest.slice(0, -40))
  const memory = environmentOf(damaged)
  await assert.rejects(repair(DIRECTORY, { environment: memory }), { code: 'INVALID_ARGUMENT' })
  assert.equal(fingerprint(directoryOf(memory)), fingerprint(damaged))
  await repair(DIRECTORY, { environment: memory, comparator })
  const db = await openIn(memory, { comparator })
  assert.deepEqual(Array.from(db.keysSync(), String).length, 3)
  await db.close()
})

test('records of a log behind a damaged one are used, those that only look like records are not', async () => {
  const inner = await leftBy(async (db) => {
    await db.put('planted', 'never written')
  })
  const log = [...inner].find(([name]) => name.endsWith('.log'))![1]
  const directory = await leftBy(async (db) => {
    await db.put('before', '1')
    await db.put('holds a log', log)
    await db.put('after', '2')
  })
  const [name, bytes] = [...directory].find(([candidate]) => candidate.endsWith('.log'))!
  const at = Buffer.from(bytes).indexOf('holds a log')
  const memory = environmentOf(withFile(directory, name, flipped(bytes, at)))
  const { givenUp, files } = await repair(DIRECTORY, { environment: memory })
  assert.deepEqual(
    [...(await contentIn(memory))],
    [
      ['after', '2'],
      ['before', '1'],
    ],
  )
  assert.deepEqual(
    givenUp.map(({ file, reason }) => [file, reason]),
    [[name, 'checksum mismatch']],
  )
  assert.equal(files.find((file) => file.name === name)?.action, 'replayed')
})
