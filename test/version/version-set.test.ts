/** What a VersionSet keeps from edit to edit, and over a reopening: compact pointers, numbers, what was deleted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { type FileNumber, fileNumber, MIN_NUMBERS_LEFT, sequenceNumber } from '../../src/base/types.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { FileNumbers } from '../../src/version/file-numbers.ts'
import { ManifestWriter } from '../../src/version/manifest.ts'
import { encodeEdit, type LevelKey, type VersionEdit } from '../../src/version/version-edit.ts'
import { recoverVersion, VersionSet } from '../../src/version/version-set.ts'
import { describeKey, drawnFile, drawnKey } from './drawn-version.ts'

const DIRECTORY = '/db'

function begin(memory: MemoryEnvironment, manifest?: FileNumber, manifestBytesMin: number = 1e9): VersionSet {
  const { files } = memory
  const found = manifest === undefined ? undefined : recoverVersion(files, DIRECTORY, manifest, bytewiseComparator)
  const versions = new VersionSet(files, DIRECTORY, bytewiseComparator, found, manifestBytesMin)
  versions.startManifest({ logNumber: versions.numbers.take() })
  return versions
}

function inMemory(): MemoryEnvironment {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory(DIRECTORY)
  return memory
}

function pointer(level: number, key: string): LevelKey {
  return { level, key: drawnKey(key) }
}

function pointersOf(versions: VersionSet): string[] {
  return versions.compactPointers.map(({ level, key }) => `${level}:${describeKey(key)}`)
}

function tablesOf(versions: VersionSet): string[] {
  return [...versions.current.files()].map(({ level, file }) => `${level}:${file.number}`)
}

function apply(versions: VersionSet, edit: VersionEdit): void {
  versions.begin(edit)
  versions.sync()
  versions.commit()
}

test('an edit moves the compact pointers of its levels, and leaves the others; a new manifest has all of them', () => {
  const memory = inMemory()
  const versions = begin(memory)
  assert.deepEqual(pointersOf(versions), [])
  apply(versions, { compactPointers: [pointer(3, 'c#7'), pointer(1, 'x')] })
  apply(versions, { compactPointers: [pointer(0, 'f')] })
  apply(versions, { lastSequence: sequenceNumber(5) })
  apply(versions, { compactPointers: [pointer(1, 'b')] })
  assert.deepEqual(pointersOf(versions), ['0:f', '1:b', '3:c#7'])
  versions.close()
  // Once read from the edits, once from the snapshot that a manifest begins with.
  const again = begin(memory, versions.manifestNumber)
  assert.deepEqual(pointersOf(again), ['0:f', '1:b', '3:c#7'])
  again.close()
  const third = begin(memory, again.manifestNumber)
  assert.deepEqual(pointersOf(third), ['0:f', '1:b', '3:c#7'])
  third.close()
})

test('a compaction’s edit takes its inputs out and puts its outputs in; a move keeps the number; a rewrite stays', () => {
  const memory = inMemory()
  const versions = begin(memory)
  const [a, b, c, d] = ['11[a..c]', '12[b..d]', '13[a..d]', '14[k..l]'].map(drawnFile)
  apply(versions, { newFiles: [a, b].map((file) => ({ level: 0, file })) })
  apply(versions, {
    deletedFiles: [
      { level: 0, number: a.number },
      { level: 0, number: b.number },
    ],
    newFiles: [
      { level: 1, file: c },
      { level: 6, file: d },
    ],
  })
  assert.deepEqual(tablesOf(versions), ['1:13', '6:14'])
  apply(versions, { deletedFiles: [{ level: 1, number: c.number }], newFiles: [{ level: 2, file: c }] })
  const rewritten = { ...d, number: fileNumber(15) }
  apply(versions, { deletedFiles: [{ level: 6, number: d.number }], newFiles: [{ level: 6, file: rewritten }] })
  assert.deepEqual(tablesOf(versions), ['2:13', '6:15'])
  versions.close()
  const again = begin(memory, versions.manifestNumber)
  assert.deepEqual(tablesOf(again), ['2:13', '6:15'])
  again.close()
})

test('what a table’s statistics say stays with it from version to version, and is unknown after an opening', () => {
  const memory = inMemory()
  const versions = begin(memory)
  const file = drawnFile('11[a..c]=10,t5/9@3')
  apply(versions, { newFiles: [{ level: 0, file }] })
  apply(versions, { lastSequence: sequenceNumber(9) })
  assert.deepEqual(versions.current.levels[0][0].statistics, file.statistics)
  versions.close()
  const again = begin(memory, versions.manifestNumber)
  assert.equal(again.current.levels[0][0].statistics, undefined)
  again.close()
})

test('the manifest’s next number is above all that were taken before the edit, by whomever', () => {
  const memory = inMemory()
  const versions = begin(memory)
  const first = recoverVersion(memory.files, DIRECTORY, versions.manifestNumber, bytewiseComparator)
  assert.equal(first.nextFile, versions.manifestNumber + 1, 'and above its own')
  const elsewhere = FileNumbers.attach(versions.numbers.share())
  const taken = [versions.newFileNumber(), elsewhere.take(), versions.newFileNumber(), elsewhere.take()]
  assert.deepEqual(
    taken,
    taken.map((_, i) => taken[0] + i),
  )
  apply(versions, {})
  versions.close()
  const found = recoverVersion(memory.files, DIRECTORY, versions.manifestNumber, bytewiseComparator)
  assert.equal(found.nextFile, taken[3] + 1)
  const again = new VersionSet(memory.files, DIRECTORY, bytewiseComparator, found, 1e9)
  again.numbers.skipPast(fileNumber(90))
  again.numbers.skipPast(fileNumber(80))
  assert.deepEqual([again.numbers.next, again.newFileNumber(), again.newFileNumber()], [91, 91, 92])
  again.numbers.skipPast(fileNumber(200))
  again.numbers.skipPast(fileNumber(200))
  assert.deepEqual([again.newFileNumber(), again.newFileNumber()], [201, 202])
})

test('a version is kept as often as it is held, and its tables with it', () => {
  const memory = inMemory()
  const versions = begin(memory)
  assert.equal(versions.isHeld, false)
  apply(versions, { newFiles: [{ level: 0, file: drawnFile('11[a..c]') }] })
  const held = versions.current
  versions.hold(held)
  versions.hold(held)
  apply(versions, {
    deletedFiles: [{ level: 0, number: fileNumber(11) }],
    newFiles: [{ level: 1, file: drawnFile('12[a..c]') }],
  })
  assert.equal(versions.unhold(held), false)
  assert.deepEqual([versions.isHeld, [...versions.liveTables()].sort()], [true, [11, 12]])
  versions.hold(versions.current)
  assert.equal(versions.unhold(versions.current), false)
  assert.equal(versions.unhold(held), true)
  assert.deepEqual([versions.isHeld, [...versions.liveTables()]], [false, [12]])
  assert.throws(() => versions.unhold(held), /as often as it is held/)
  versions.close()
})

test('a set says what it holds: of nothing, of what was found, and after a new manifest', () => {
  const memory = inMemory()
  const { files } = memory
  const empty = new VersionSet(files, DIRECTORY, bytewiseComparator, undefined, 1e9)
  assert.deepEqual(
    [empty.manifestNumber, empty.manifestBytes, empty.logNumber, empty.lastSequence, empty.takesEdits],
    [0, 0, 0, 0, false],
  )
  empty.close()
  const versions = begin(memory)
  apply(versions, { lastSequence: sequenceNumber(9), newFiles: [{ level: 2, file: drawnFile('11[a..c]') }] })
  assert.deepEqual([versions.lastSequence, versions.takesEdits], [9, true])
  versions.begin({})
  assert.equal(versions.takesEdits, false, 'until the edit is committed')
  versions.sync()
  versions.commit()
  versions.close()
  const found = recoverVersion(files, DIRECTORY, versions.manifestNumber, bytewiseComparator)
  const again = new VersionSet(files, DIRECTORY, bytewiseComparator, found, 1e9)
  assert.deepEqual(
    [again.manifestNumber, again.manifestBytes, again.logNumber, again.lastSequence, again.takesEdits],
    [versions.manifestNumber, files.status(again.editSync.path)?.bytes, versions.logNumber, 9, false],
  )
  const [snapshot, counters] = again.copyOfManifest()
  assert.deepEqual(
    [snapshot.comparator, snapshot.newFiles?.map(({ level, file }) => `${level}:${file.number}`)],
    ['leveldb.BytewiseComparator', ['2:11']],
  )
  const { logNumber, previousLog, nextFile, lastSequence } = counters
  assert.deepEqual([logNumber, previousLog, nextFile, lastSequence], [versions.logNumber, 0, found.nextFile, 9])
})

test('an edit is committed once, and only after it has begun', () => {
  const versions = begin(inMemory())
  assert.throws(() => versions.commit(), /after it has begun/)
  apply(versions, { lastSequence: sequenceNumber(9) })
  assert.throws(() => versions.commit(), /after it has begun/)
  assert.equal(versions.takesEdits, true)
  versions.close()
})

test('a set whose first manifest cannot be written takes no edits, until another one can', () => {
  const memory = inMemory()
  const versions = new VersionSet(memory.files, '/elsewhere', bytewiseComparator, undefined, 1e9)
  assert.throws(() => versions.startManifest({ logNumber: fileNumber(3) }), { code: 'IO_ERROR' })
  assert.equal(versions.takesEdits, false)
  memory.files.makeDirectory('/elsewhere')
  versions.startManifest({ logNumber: fileNumber(3) })
  assert.deepEqual([versions.takesEdits, versions.logNumber], [true, 3])
  versions.close()
})

const COUNTERS = { logNumber: fileNumber(3), nextFile: fileNumber(9), lastSequence: sequenceNumber(5) }

function without(counter: keyof typeof COUNTERS): VersionEdit {
  const { [counter]: _, ...others } = COUNTERS
  return others
}

const REFUSED: readonly (readonly [what: string, edits: readonly VersionEdit[], reason: RegExp])[] = [
  ['no log number', [without('logNumber')], /lacks its log number/],
  ['no next file number', [without('nextFile')], /lacks its log number, next file/],
  ['no last sequence', [without('lastSequence')], /or last sequence/],
  [
    'another order',
    [{ ...COUNTERS, comparator: 'by.length' }],
    /ordered by by\.length, not by leveldb.*: open it with its own comparator/,
  ],
  [
    'tables that overlap',
    [
      { ...COUNTERS, newFiles: [{ level: 1, file: drawnFile('7[a..c]') }] },
      { newFiles: [{ level: 1, file: drawnFile('8[b..d]') }] },
    ],
    /tables 7 and 8 of level 1 overlap/,
  ],
]

for (const [what, edits, reason] of REFUSED) {
  test(`a manifest with ${what} is refused`, () => {
    const { files } = manifestOf(edits)
    assert.throws(() => recoverVersion(files, DIRECTORY, fileNumber(2), bytewiseComparator), reason)
  })
}

test('a manifest leaves as many file numbers as an opening may need, or is refused', () => {
  const last = Number.MAX_SAFE_INTEGER - MIN_NUMBERS_LEFT
  const { files } = manifestOf([{ ...COUNTERS, nextFile: fileNumber(last) }])
  assert.equal(recoverVersion(files, DIRECTORY, fileNumber(2), bytewiseComparator).nextFile, last)
  const { files: beyond } = manifestOf([{ ...COUNTERS, nextFile: fileNumber(last + 1) }])
  assert.throws(
    () => recoverVersion(beyond, DIRECTORY, fileNumber(2), bytewiseComparator),
    new RegExp(`leaves no file numbers: the next one is ${last + 1}`),
  )
})

test('of each counter in a manifest the last one holds', () => {
  const { files } = manifestOf([
    { ...COUNTERS, previousLog: fileNumber(2), comparator: bytewiseComparator.name },
    { lastSequence: sequenceNumber(7), compactPointers: [pointer(1, 'k')] },
    { logNumber: fileNumber(4), nextFile: fileNumber(12), compactPointers: [pointer(1, 'm'), pointer(0, 'a')] },
  ])
  const found = recoverVersion(files, DIRECTORY, fileNumber(2), bytewiseComparator)
  assert.deepEqual(
    [found.logNumber, found.previousLog, found.nextFile, found.lastSequence, found.manifestNumber, found.tornAt],
    [4, 2, 12, 7, 2, undefined],
  )
  assert.deepEqual(
    found.compactPointers.map(({ level, key }) => `${level}:${describeKey(key)}`),
    ['0:a', '1:m'],
  )
})

test('a manifest without its counters is refused at its beginning, or where it is torn', () => {
  const memory = manifestOf([without('nextFile'), COUNTERS])
  const bytes = memory.readAll(`${DIRECTORY}/MANIFEST-000002`)
  const first = 7 + encodeEdit(without('nextFile')).length
  for (const [length, offset] of [
    [first, 0],
    [first + 9, first],
  ]) {
    const { files } = inMemory()
    const file = files.createWritable(`${DIRECTORY}/MANIFEST-000002`)
    file.append(bytes, 0, length)
    file.close()
    assert.throws(() => recoverVersion(files, DIRECTORY, fileNumber(2), bytewiseComparator), {
      message: /lacks its log number/,
      file: `${DIRECTORY}/MANIFEST-000002`,
      offset,
    })
  }
})

test('a manifest that names no previous log has the number 0 for it', () => {
  const { files } = manifestOf([COUNTERS])
  assert.equal(recoverVersion(files, DIRECTORY, fileNumber(2), bytewiseComparator).previousLog, 0)
})

/** A directory with MANIFEST-000002, of these edits. */
function manifestOf(edits: readonly VersionEdit[]): MemoryEnvironment {
  const memory = inMemory()
  ManifestWriter.create(memory.files, DIRECTORY, fileNumber(2), edits).close()
  return memory
}

test('a manifest with a record that is no edit is refused with the offset of the record', () => {
  const memory = manifestOf([COUNTERS])
  const writer = new LogWriter(memory.files.createWritable(`${DIRECTORY}/MANIFEST-000003`))
  const edits = [encodeEdit(COUNTERS), Uint8Array.of(77, 1)]
  for (const edit of edits) writer.add(edit, 0, edit.length)
  writer.flush()
  writer.close()
  assert.throws(() => recoverVersion(memory.files, DIRECTORY, fileNumber(3), bytewiseComparator), {
    name: 'CorruptionError',
    file: `${DIRECTORY}/MANIFEST-000003`,
    offset: 7 + edits[0].length,
  })
})
