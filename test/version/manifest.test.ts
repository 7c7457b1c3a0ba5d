/**
 * Manifests and CURRENT: what CURRENT may hold, which manifests are torn and which are damaged, and the order of calls by which
 * one manifest takes the place of another.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileSystem, WritableFile } from '../../src/base/environment.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { ManifestWriter, readCurrent, readManifest } from '../../src/version/manifest.ts'
import { encodeEdit, type VersionEdit } from '../../src/version/version-edit.ts'

const DIRECTORY = '/db'
const EDIT: VersionEdit = { logNumber: fileNumber(3), nextFile: fileNumber(9), lastSequence: sequenceNumber(5) }

function directory(...names: readonly string[]): FileSystem {
  const { files } = new MemoryEnvironment()
  files.makeDirectory(DIRECTORY)
  for (const name of names) put(files, name, new Uint8Array(0))
  return files
}

function put(files: FileSystem, name: string, bytes: Uint8Array): void {
  const file = files.createWritable(files.join(DIRECTORY, name))
  file.append(bytes, 0, bytes.length)
  file.close()
}

function current(text: string, ...names: readonly string[]): FileSystem {
  const files = directory(...names)
  put(files, 'CURRENT', Buffer.from(text, 'latin1'))
  return files
}

const GOOD: readonly (readonly [text: string, name: string, number: number])[] = [
  ['MANIFEST-000002\n', 'MANIFEST-000002', 2],
  ['MANIFEST-1234567\n', 'MANIFEST-1234567', 1234567],
  ['MANIFEST-9007199254740991\n', 'MANIFEST-9007199254740991', Number.MAX_SAFE_INTEGER],
  ['MANIFEST-00000000000000000007\n', 'MANIFEST-000007', 7],
]

for (const [text, name, number] of GOOD) {
  test(`CURRENT may hold ${JSON.stringify(text)}`, () => {
    assert.equal(readCurrent(current(text, name), DIRECTORY), number)
  })
}

const BAD: readonly (readonly [what: string, text: string])[] = [
  ['nothing', ''],
  ['a name without the end of its line', 'MANIFEST-000002'],
  ['a name that ends as on Windows', 'MANIFEST-000002\r\n'],
  ['five digits', 'MANIFEST-00002\n'],
  ['21 digits', 'MANIFEST-000000000000000000002\n'],
  ['a number above 2^53 − 1', 'MANIFEST-9007199254740992\n'],
  ['a name and more', 'MANIFEST-000002\nx'],
  ['something before the name', ' MANIFEST-000002\n'],
  ['a name far in', `${' '.repeat(60)}MANIFEST-000002\n`],
  ['a name and 100 bytes more', `MANIFEST-000002\n${'x'.repeat(100)}`],
  ['another name', '000002.ldb\n'],
]

function assertRefused(files: FileSystem, message: string): void {
  assert.throws(
    () => readCurrent(files, DIRECTORY),
    (error) => {
      assert.ok(error instanceof CorruptionError)
      assert.deepEqual([error.file, error.offset], ['/db/CURRENT', 0])
      assert.ok(error.message.startsWith(message), error.message)
      return true
    },
  )
}

for (const [what, text] of BAD) {
  test(`CURRENT with ${what} is damage, and the error names the manifests that there are`, () => {
    assertRefused(current(text), 'CURRENT does not name a manifest; there is no manifest')
    assertRefused(
      current(text, 'MANIFEST-000002', 'MANIFEST-000004', '000003.log'),
      'CURRENT does not name a manifest; there is MANIFEST-000002, MANIFEST-000004',
    )
  })
}

test('CURRENT that names a manifest that is missing is damage; without CURRENT there is no manifest', () => {
  const message = 'CURRENT names a manifest that is missing; there is MANIFEST-000002'
  assertRefused(current('MANIFEST-000003\n', 'MANIFEST-000002'), message)
  assert.equal(readCurrent(directory('MANIFEST-000002'), DIRECTORY), undefined)
})

/** A manifest of three edits, and where each of its records begins and the last one ends. */
function threeEdits(): { bytes: Uint8Array<ArrayBuffer>; starts: number[] } {
  const edit = encodeEdit(EDIT)
  const { files } = new MemoryEnvironment()
  files.makeDirectory(DIRECTORY)
  const writer = new LogWriter(files.createWritable('/db/m'))
  const starts = [0]
  for (let i = 0; i < 3; i++) {
    writer.add(edit, 0, edit.length)
    starts.push(writer.bytes)
  }
  writer.flush()
  writer.close()
  const file = files.openRandomAccess('/db/m')
  const bytes = new Uint8Array(file.bytes)
  file.read(0, bytes, 0, bytes.length)
  return { bytes, starts }
}

function read(bytes: Uint8Array): string {
  const files = directory()
  put(files, 'MANIFEST-000002', bytes)
  try {
    const { edits, bytes: length, tornAt } = readManifest(files, '/db/MANIFEST-000002')
    assert.equal(length, bytes.length)
    return `${edits.length} edits, ${tornAt === undefined ? 'whole' : `torn at ${tornAt}`}`
  } catch (error) {
    assert.ok(error instanceof CorruptionError && error.file === '/db/MANIFEST-000002')
    return `${error.message.split(' (')[0]} at ${error.offset}`
  }
}

test('a manifest is torn where its last record is cut off, and whole between two', () => {
  const { bytes, starts } = threeEdits()
  for (let length = 0; length <= bytes.length; length++) {
    const whole = starts.filter((start) => start <= length).length - 1
    const expected = starts.includes(length) ? 'whole' : `torn at ${starts[whole]}`
    assert.equal(read(bytes.slice(0, length)), `${whole} edits, ${expected}`)
  }
})

test('a record that is damaged is torn if it is the last, and damage if a readable one follows', () => {
  const { bytes, starts } = threeEdits()
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at] ^= 0x10
    const record = starts.filter((start) => start <= at).length - 1
    if (record === 2) assert.equal(read(changed), `2 edits, torn at ${starts[2]}`)
    else assert.match(read(changed), new RegExp(`^manifest is damaged: .* at ${starts[record]}$`))
  }
})

/** A file system that notes each call that changes something, until the one that is to fail. */
class Noting {
  readonly calls: string[] = []
  readonly files: FileSystem
  readonly open = new Set<string>()
  readonly #failing: string | undefined

  constructor(failing: string | undefined) {
    this.#failing = failing
    const inner = directory()
    this.files = new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...args: unknown[]) => unknown
        if (name === 'createWritable') return (path: string) => this.#noting(path, call(path) as WritableFile)
        if (name !== 'rename' && name !== 'syncDirectory') return call
        return (...args: unknown[]) => {
          this.#note(`${name} ${args.join(' ')}`)
          return call(...args)
        }
      },
    })
  }

  #note(call: string): void {
    this.calls.push(call)
    if (call === this.#failing) throw new Error(`${call} failed`)
  }

  #noting(path: string, file: WritableFile): WritableFile {
    this.#note(`create ${path}`)
    this.open.add(path)
    const noted: WritableFile = {
      path,
      append: (bytes, offset, length) => {
        this.#note(`append ${path}`)
        file.append(bytes, offset, length)
      },
      sync: () => {
        this.#note(`sync ${path}`)
        file.sync()
      },
      syncLater: () => file.syncLater(),
      close: () => {
        this.open.delete(path)
        this.#note(`close ${path}`)
        file.close()
      },
    }
    return noted
  }
}

const SWITCH = [
  'create /db/MANIFEST-000007',
  'append /db/MANIFEST-000007',
  'sync /db/MANIFEST-000007',
  'create /db/000007.dbtmp',
  'append /db/000007.dbtmp',
  'sync /db/000007.dbtmp',
  'close /db/000007.dbtmp',
  'syncDirectory /db',
  'rename /db/000007.dbtmp /db/CURRENT',
  'syncDirectory /db',
]

test('a manifest becomes the current one after it, its name and their places in the directory are durable', () => {
  const noting = new Noting(undefined)
  const manifest = ManifestWriter.create(noting.files, DIRECTORY, fileNumber(7), [EDIT, EDIT])
  assert.deepEqual(noting.calls, SWITCH)
  assert.equal(readCurrent(noting.files, DIRECTORY), 7)
  manifest.append(EDIT)
  manifest.sync()
  const after = [...SWITCH, 'append /db/MANIFEST-000007', 'sync /db/MANIFEST-000007']
  assert.deepEqual(noting.calls, after)
  const { edits, bytes, tornAt } = readManifest(noting.files, '/db/MANIFEST-000007')
  assert.deepEqual([edits.length, bytes, tornAt], [3, manifest.bytes, undefined])
  manifest.close()
  assert.deepEqual(noting.calls, [...after, 'close /db/MANIFEST-000007'])
})

for (const [i, failing] of SWITCH.entries()) {
  if (SWITCH.indexOf(failing) !== i || i === 0) continue
  test(`a switch that fails at "${failing}" goes no further, and leaves no file open`, () => {
    const noting = new Noting(failing)
    assert.throws(() => ManifestWriter.create(noting.files, DIRECTORY, fileNumber(7), [EDIT]), /failed/)
    assert.deepEqual(
      noting.calls.filter((call) => !call.startsWith('close')),
      SWITCH.slice(0, i + 1).filter((call) => !call.startsWith('close')),
    )
    assert.deepEqual([...noting.open], [])
  })
}
