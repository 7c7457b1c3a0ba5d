/**
 * A manifest that has become long, and the one that takes its place: how long they get, what a power loss leaves at every call in
 * between, and what becomes of an edit where the new one cannot be begun, or not be made durable.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { Prng } from '../../src/base/prng.ts'
import { type FileNumber, sequenceNumber } from '../../src/base/types.ts'
import { CRASH_MODES } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { runSyncJob } from '../../src/jobs/chores.ts'
import { readCurrent } from '../../src/version/manifest.ts'
import { recoverVersion, VersionSet } from '../../src/version/version-set.ts'
import type { FaultPredicate } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { drawnFile } from './drawn-version.ts'

const DIRECTORY = '/db'
const BYTES = 300

interface Life {
  readonly memory: MemoryEnvironment
  readonly environment: FaultEnvironment
  readonly versions: VersionSet
}

function newLife(): Life {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  environment.files.makeDirectory(DIRECTORY)
  const versions = new VersionSet(environment.files, DIRECTORY, bytewiseComparator, undefined, BYTES)
  versions.startManifest({ logNumber: versions.numbers.take(), lastSequence: sequenceNumber(0) })
  environment.takeCalls()
  return { memory, environment, versions }
}

/** Another table, in place of the oldest one if there are more than `keep`. */
function begin(versions: VersionSet, keep: number = 2): void {
  const number = versions.newFileNumber()
  const tables = [...versions.current.files()].map(({ file }) => file.number).sort((a, b) => a - b)
  const deletedFiles = tables.slice(0, Math.max(0, tables.length - keep)).map((old) => ({ level: 0, number: old }))
  versions.begin({
    lastSequence: sequenceNumber(number),
    newFiles: [{ level: 0, file: drawnFile(`${number}[a..c]`) }],
    deletedFiles,
  })
}

/** As workers do. */
function runJob({ environment, versions }: Life): void {
  do runSyncJob({ kind: 'sync', ...versions.editSync }, environment)
  while (versions.stepTaken())
}

/** Edits until the next one is going to begin a manifest. */
function untilLong(life: Life): void {
  const { versions } = life
  for (;;) {
    if (versions.manifestBytes > BYTES) return
    begin(versions)
    runJob(life)
    assert.equal(versions.commit(), undefined)
  }
}

function currentOf({ files }: MemoryEnvironment): FileNumber {
  const number = readCurrent(files, DIRECTORY)
  assert.ok(number !== undefined)
  return number
}

/** What the manifest that CURRENT names says. */
function told(memory: MemoryEnvironment): string {
  const number = currentOf(memory)
  const { version, lastSequence, logNumber, nextFile, tornAt } = recoverVersion(
    memory.files,
    DIRECTORY,
    number,
    bytewiseComparator,
  )
  assert.equal(tornAt, undefined)
  // Whoever opens the database, of whatever make, begins a manifest under the next number, and this one is still the current one then.
  assert.ok(nextFile > number, `manifest ${number} says that the next file is ${nextFile}`)
  return `${tablesOf(version)}, ${lastSequence}, ${logNumber}`
}

function tablesOf(version: VersionSet['current']): string {
  return [...version.files()].map(({ level, file }) => `${level}:${file.number}`).join(' ')
}

function shown({ current, lastSequence, logNumber }: VersionSet): string {
  return `${tablesOf(current)}, ${lastSequence}, ${logNumber}`
}

function manifestsIn({ files }: MemoryEnvironment): string[] {
  return files.list(DIRECTORY).filter((name) => name.startsWith('MANIFEST'))
}

for (const keep of [2, 12, 60]) {
  test(`a manifest grows to a few times what it began with, and the next one says the same: ${keep} tables`, () => {
    const life = newLife()
    const { memory, environment, versions } = life
    const replaced: FileNumber[] = []
    let beganWith = versions.manifestBytes
    let longest = 0
    for (let i = 0; i < 700; i++) {
      const { manifestNumber, manifestBytes } = versions
      begin(versions, keep)
      assert.equal(versions.manifestNumber, manifestNumber, 'it counts once the edit is durable')
      if (i % 3 === 0) versions.sync()
      else runJob(life)
      const gone = versions.commit()
      assert.equal(told(memory), shown(versions))
      assert.equal(gone, versions.manifestNumber === manifestNumber ? undefined : manifestNumber)
      longest = Math.max(longest, versions.manifestBytes)
      if (gone === undefined) continue
      replaced.push(gone)
      assert.ok(
        manifestBytes > Math.max(BYTES, 4 * beganWith),
        `${manifestBytes} bytes, and it began with ${beganWith}`,
      )
      beganWith = versions.manifestBytes
      removeManifest(environment, gone)
    }
    assert.deepEqual(manifestsIn(memory), [`MANIFEST-${String(versions.manifestNumber).padStart(6, '0')}`])
    assert.ok(replaced.length > 3, `${replaced.length} were replaced`)
    // One edit beyond the bound, and no more.
    const bound = Math.max(BYTES, 4 * beganWith) + 100
    assert.ok(longest <= bound, `${longest} bytes, where ${bound} are allowed`)
    versions.close()
    assert.equal(memory.files.openCount, 0)
  })
}

type Way = (life: Life) => void

/** How the edit becomes durable: on a worker, here, or here after a worker got so far. */
const WAYS: readonly (readonly [name: string, way: Way])[] = [
  ['by a job', runJob],
  ['on this thread', ({ versions }) => versions.sync()],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((calls): readonly [string, Way] => [
    `on this thread, after a job ended before its call ${calls}`,
    (life) => {
      const limit = life.environment.callCount + calls
      life.environment.setFaults(({ index }) => (index >= limit ? { code: 'EIO' } : undefined))
      try {
        runJob(life)
      } catch {
        // Its thread is no more.
      }
      life.environment.setFaults(undefined)
      life.versions.sync()
    },
  ]),
]

for (const [name, way] of WAYS) {
  test(`a power loss while a manifest takes another's place, ${name}, leaves the version before or after the edit`, () => {
    const whole = Number.POSITIVE_INFINITY
    const { after, calls } = replaceUntil(whole, way)
    assert.ok(calls > 10, `${calls} calls`)
    for (let stopAt = 0; stopAt <= calls; stopAt++) {
      const { memory, before, isCommitted } = replaceUntil(stopAt, way)
      for (const mode of CRASH_MODES) {
        for (let draw = 0; draw < 4; draw++) {
          const found = told(memory.crashImage(mode, new Prng(stopAt * 31 + draw)))
          const isPossible = found === after || (found === before && !isCommitted)
          assert.ok(isPossible, `call ${stopAt}, mode ${mode}, draw ${draw}: ${found}`)
        }
      }
    }
  })
}

interface Replacement extends Life {
  /** What the manifest said before the edit, and what the versions say at last. */
  readonly before: string
  readonly after: string
  readonly isCommitted: boolean
  readonly calls: number
}

/** An edit that begins a manifest, with the removal of the old one, up to so many calls. */
function replaceUntil(stopAt: number, way: Way): Replacement {
  const life = newLife()
  const { environment, versions } = life
  untilLong(life)
  const before = shown(versions)
  const first = environment.callCount
  environment.setStop(first + stopAt)
  let isCommitted = false
  try {
    begin(versions)
    way(life)
    const gone = versions.commit()
    assert.ok(gone !== undefined)
    isCommitted = true
    removeManifest(environment, gone)
  } catch (error) {
    if (!environment.crashed) throw error
  }
  return { ...life, before, after: shown(versions), isCommitted, calls: environment.callCount - first }
}

test('where a manifest cannot be begun the old one grows on, to twice its length, and nothing is left of the new one', () => {
  for (const op of ['create', 'append'] as const) {
    const life = newLife()
    const { memory, environment, versions } = life
    untilLong(life)
    const { manifestNumber, manifestBytes } = versions
    let failures = 0
    const faultAt: FaultPredicate = (call) => {
      const isNew = call.path !== `MANIFEST-${String(manifestNumber).padStart(6, '0')}`
      if (call.op !== op || !isNew) return undefined
      failures++
      return { code: 'ENOSPC' }
    }
    environment.setFaults(faultAt)
    for (let i = 0; i < 3; i++) {
      begin(versions)
      runJob(life)
      assert.equal(versions.commit(), undefined)
      assert.equal(told(memory), shown(versions))
    }
    assert.deepEqual([failures, versions.manifestNumber, manifestsIn(memory).length], [1, manifestNumber, 1])
    environment.setFaults(undefined)
    let gone: FileNumber | undefined
    while (gone === undefined) {
      const { manifestBytes: bytes } = versions
      assert.ok(bytes <= 2 * manifestBytes + 100)
      begin(versions)
      runJob(life)
      gone = versions.commit()
    }
    assert.deepEqual([gone, told(memory)], [manifestNumber, shown(versions)])
    versions.close()
    assert.equal(memory.files.openCount, 0)
  }
})

test('a manifest that cannot be made durable, or current, ends the edits, and CURRENT names one that is whole', () => {
  const { calls } = replaceUntil(Number.POSITIVE_INFINITY, runJob)
  let failed = 0
  for (let at = 2; at < calls - 3; at++) {
    const life = newLife()
    const { memory, environment, versions } = life
    untilLong(life)
    const before = shown(versions)
    const limit = environment.callCount + at
    environment.setFaults(({ index, op }) => (index === limit && op !== 'close' ? { code: 'EIO' } : undefined))
    begin(versions)
    let hasFailed = false
    try {
      runJob(life)
    } catch {
      hasFailed = true
    }
    if (!hasFailed) continue
    failed++
    assert.equal(versions.takesEdits, false)
    assert.equal(shown(versions), before)
    assert.ok([1, 2].includes(manifestsIn(memory).length))
    const found = told(memory)
    environment.setFaults(undefined)
    versions.commit()
    assert.ok(found === before || found === shown(versions), `call ${at}: ${found}`)
    versions.close()
    assert.equal(memory.files.openCount, 0)
  }
  assert.ok(failed > 5, `${failed} failed`)
})

test('closing in the midst of an edit leaves no manifest open, neither that in use nor the new one', () => {
  const life = newLife()
  const { memory, versions } = life
  untilLong(life)
  begin(versions)
  assert.deepEqual([versions.editSync.step, memory.files.openCount], ['prepare', 2])
  versions.close()
  assert.equal(memory.files.openCount, 0)
})

test('a job that goes on after its edit was made durable here leaves CURRENT as it is', () => {
  const life = newLife()
  const { memory, versions } = life
  untilLong(life)
  begin(versions)
  const prepare = versions.editSync
  runSyncJob({ kind: 'sync', ...prepare }, life.environment)
  versions.stepTaken()
  const job = versions.editSync
  assert.deepEqual([prepare.step, job.step], ['prepare', 'switch'])
  versions.sync()
  versions.commit()
  runSyncJob({ kind: 'sync', ...job }, life.environment)
  assert.deepEqual([told(memory), currentOf(memory)], [shown(versions), versions.manifestNumber])
})

for (const code of ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EIO'] as const) {
  test(`an edit whose new manifest cannot be made ready goes to the one in use, and nothing is left of the new one: ${code}`, () => {
    const counted = newLife()
    untilLong(counted)
    begin(counted.versions)
    const from = counted.environment.callCount
    runSyncJob({ kind: 'sync', ...counted.versions.editSync }, counted.environment)
    const calls = counted.environment.callCount - from
    assert.ok(calls > 4, `${calls} calls`)
    for (let at = 0; at < calls; at++) {
      const life = newLife()
      const { memory, environment, versions } = life
      untilLong(life)
      const { manifestNumber } = versions
      begin(versions)
      const limit = environment.callCount + at
      environment.setFaults(({ index, op }) => (index === limit && op !== 'close' ? { code } : undefined))
      let hasFailed = false
      try {
        runSyncJob({ kind: 'sync', ...versions.editSync }, environment)
      } catch {
        hasFailed = true
      }
      if (!hasFailed) continue
      environment.setFaults(undefined)
      assert.equal(versions.editSync.step, 'prepare')
      environment.takeCalls()
      versions.withdraw()
      const calls = environment.takeCalls().map((call) => call.split(' ')[0])
      assert.deepEqual(calls, ['close', 'remove', 'append'], 'room may be what is short')
      assert.equal(versions.editSync.step, 'sync')
      runJob(life)
      assert.equal(versions.commit(), undefined)
      const names = memory.files.list(DIRECTORY).filter((name) => name !== 'CURRENT')
      assert.deepEqual([versions.manifestNumber, names.length], [manifestNumber, 1], names.join())
      for (const mode of CRASH_MODES) {
        assert.equal(told(memory.crashImage(mode, new Prng(at))), shown(versions))
      }
      let gone: FileNumber | undefined
      let grownTo = 0
      while (gone === undefined) {
        grownTo = versions.manifestBytes
        begin(versions)
        runJob(life)
        gone = versions.commit()
        assert.equal(told(memory), shown(versions))
      }
      assert.ok(grownTo > 2 * BYTES, `the one in use grew to ${grownTo} bytes`)
      versions.close()
      assert.equal(memory.files.openCount, 0)
    }
  })
}

function removeManifest(environment: FaultEnvironment, number: FileNumber): void {
  environment.files.remove(`${DIRECTORY}/MANIFEST-${String(number).padStart(6, '0')}`)
}
