/**
 * Shapes: small databases of which every byte can be damaged, with all that there is to know about them: what each of their
 * states holds, and where in their logs each batch and each marker lies.
 *
 * The logs are parsed here by their lengths alone: what recovery makes of them is what is being tested. A shape is made anew
 * by each thread, and is the same each time.
 */
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { IOError } from '../../src/base/errors.ts'
import { fileNumber } from '../../src/base/types.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { ZERO } from '../../src/log/log-format.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { setCurrent } from '../../src/version/manifest.ts'
import { encodeEdit, type LevelFile } from '../../src/version/version-edit.ts'
import { type Edit, writeTable } from './tables.ts'

export const DIRECTORY = '/db'

/** Key → value, in the order of the keys. */
export type State = ReadonlyMap<string, string>

export interface LogRecord {
  readonly begin: number
  readonly end: number
  /** A batch without entries. */
  readonly isMarker: boolean
  /** Its last sequence number. */
  readonly lastSequence: number
}

export interface ShapeLog {
  readonly name: string
  readonly records: readonly LogRecord[]
}

export interface Shape {
  readonly name: string
  readonly options: Options
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
  /** Oldest first. */
  readonly logs: readonly ShapeLog[]
  /** states[k]: with the first k batches of the logs. */
  readonly states: readonly State[]
  /** Whether its logs have markers. */
  readonly hasMarkers: boolean
  /** All keys that were ever written, and some that were not. */
  readonly keys: readonly string[]
}

const OPTIONS: Options = { workers: 0, writeBufferBytes: 16 * 1024, blockCacheBytes: 0, restartInterval: 4 }
const ABSENT = ['', 'a', 'key/0007x', 'key/9999', '\u{10ffff}']

export const SHAPE_NAMES: readonly string[] = ['levels', 'many-logs', 'foreign-log', 'closed']

const shapes = new Map<string, Promise<Shape>>()

/** The shape of a name; made once a thread. */
export function shapeNamed(name: string): Promise<Shape> {
  const shape = shapes.get(name) ?? makeShape(name)
  shapes.set(name, shape)
  return shape
}

function makeShape(name: string): Promise<Shape> {
  if (name === 'levels') return levels()
  if (name === 'many-logs') return manyLogs()
  if (name === 'foreign-log') return oneLog(name, { walMarkers: false }, false)
  if (name === 'closed') return oneLog(name, {}, true)
  throw new Error(`no shape ${name}`)
}

/** Writes to a database and remembers what it then holds. */
class Author {
  readonly memory: MemoryEnvironment = new MemoryEnvironment({ seed: 6 })
  readonly options: Options
  #state = new Map<string, string>()
  readonly #keys = new Set<string>()
  states: State[] = []

  constructor(options: Options) {
    this.options = { ...OPTIONS, ...options }
  }

  open(): Promise<DB> {
    return open(DIRECTORY, { ...this.options, environment: this.memory })
  }

  /** Remember edits that are made by other means. */
  note(edits: readonly Edit[]): void {
    for (const [key, value] of edits) {
      this.#keys.add(key)
      if (value === undefined) this.#state.delete(key)
      else this.#state.set(key, value)
    }
  }

  async write(db: DB, edits: readonly Edit[], durability: 'os' | 'disk' = 'os'): Promise<void> {
    const batch = new WriteBatch()
    for (const [key, value] of edits) {
      if (value === undefined) batch.delete(key)
      else batch.put(key, value)
    }
    await db.write(batch, { durability })
    this.note(edits)
    this.states.push(this.#copy())
  }

  /** Delete a range of keys, as a batch of its own. */
  async deleteRange(db: DB, start: string, end: string): Promise<void> {
    await db.deleteRange(start, end, { durability: 'os' })
    this.note([...this.#state.keys()].filter((key) => key >= start && key < end).map((key) => [key, undefined]))
    this.states.push(this.#copy())
  }

  /** What was written is in tables: the logs begin here. */
  rebase(): void {
    this.states = [this.#copy()]
  }

  /**
   * The files as they are now, as if the process had been killed; without the room in logs, which a crash may take, and whose zeros
   * would be most of what is damaged (test/log/log-room.test.ts damages them).
   */
  shape(name: string): Shape {
    const { memory } = this
    const paths = memory.paths().filter((path) => path.startsWith(`${DIRECTORY}/`) && !path.endsWith('/LOCK'))
    const files = new Map(paths.map((path) => [path.slice(DIRECTORY.length + 1), memory.readAll(path)]))
    const logs: ShapeLog[] = []
    for (const [file, bytes] of files) {
      if (!file.endsWith('.log')) continue
      const records = recordsOf(bytes)
      logs.push({ name: file, records })
      files.set(file, bytes.slice(0, records.at(-1)?.end ?? 0))
    }
    return {
      name,
      options: this.options,
      files,
      logs,
      states: this.states,
      hasMarkers: this.options.walMarkers !== false,
      keys: [...this.#keys, ...ABSENT],
    }
  }

  #copy(): State {
    return new Map([...this.#state].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** Records of a log whose records are not split, up to its room. */
function recordsOf(log: Uint8Array): LogRecord[] {
  const view = new DataView(log.buffer, log.byteOffset, log.length)
  const records: LogRecord[] = []
  for (let begin = 0; begin < log.length && log[begin + 6] !== ZERO; ) {
    const end = begin + 7 + view.getUint16(begin + 4, true)
    const count = view.getUint32(begin + 15, true)
    const lastSequence = Number(view.getBigUint64(begin + 7, true)) + count - 1
    records.push({ begin, end, isMarker: count === 0, lastSequence })
    begin = end
  }
  return records
}

function key(i: number): string {
  return `key/${String(i).padStart(4, '0')}`
}

function value(i: number, version: number): string {
  return `${version}:${String.fromCharCode(97 + (i % 26)).repeat((i * 37) % 60)}`
}

/** Keys first, first + step, … below limit, all of one version; every seventh is deleted, if `deletes`. */
function edits(first: number, limit: number, step: number, version: number, deletes: boolean): Edit[] {
  const result: Edit[] = []
  for (let i = first; i < limit; i += step)
    result.push([key(i), deletes && i % 7 === 3 ? undefined : value(i, version)])
  return result
}

/** Tables in levels 0, 1 and 2, of each compression that there is; a MANIFEST of several edits; a log with markers. */
async function levels(): Promise<Shape> {
  const author = new Author({ bloomBitsPerKey: 10 })
  author.memory.files.makeDirectory(DIRECTORY)
  let sequence = 1
  const plan: [level: number, edits: Edit[], compression: 'none' | 'snappy' | 'zstd'][] = [
    [2, edits(0, 60, 2, 1, false), 'none'],
    [1, edits(0, 30, 3, 2, true), 'snappy'],
    [1, edits(30, 60, 3, 2, true), author.memory.codecs.zstd === undefined ? 'snappy' : 'zstd'],
    [0, edits(5, 50, 5, 3, true), 'none'],
  ]
  const newFiles: LevelFile[] = plan.map(([level, list, compression], i) => {
    const file = writeTable(author.memory, DIRECTORY, 5 + i, list, sequence, compression)
    sequence += list.length
    author.note(list)
    return { level, file }
  })
  const manifest = new LogWriter(author.memory.files.createWritable(`${DIRECTORY}/MANIFEST-000004`))
  const fixed = { logNumber: fileNumber(0), nextFile: fileNumber(20), lastSequence: (sequence - 1) as never }
  for (const edit of [
    { comparator: bytewiseComparator.name },
    ...newFiles.map((file) => ({ ...fixed, newFiles: [file] })),
  ]) {
    const bytes = encodeEdit(edit)
    manifest.add(bytes, 0, bytes.length)
  }
  manifest.sync()
  manifest.close()
  setCurrent(author.memory.files, DIRECTORY, fileNumber(4))
  const db = await author.open()
  await author.write(db, edits(1, 60, 9, 4, true))
  await db.flush()
  author.rebase()
  await writeLog(author, db)
  return author.shape('levels')
}

/** Eleven batches, some of them durable; two delete ranges. */
async function writeLog(author: Author, db: DB): Promise<void> {
  for (let i = 0; i < 9; i++) {
    const list = edits(i, 60, 13, 10 + i, i % 2 === 0)
    await author.write(db, list, i === 2 || i === 5 ? 'disk' : 'os')
    if (i === 3 || i === 7) await author.deleteRange(db, key(i * 4), key(i * 6))
  }
}

function deletions(count: number): Edit[] {
  return Array.from({ length: count }, () => ['key', undefined])
}

/** Flushes that fail leave all logs. */
async function manyLogs(): Promise<Shape> {
  const author = new Author({ maxImmutableMemTables: 8 })
  const db = await author.open()
  author.rebase()
  const { files } = author.memory
  const createWritable = files.createWritable.bind(files)
  files.createWritable = (path) => {
    if (path.endsWith('.ldb')) throw new IOError('no tables today')
    return createWritable(path)
  }
  for (let i = 0; i < 8; i++) {
    // The third and the sixth fill the MemTable, but not the log: there a deletion takes a few bytes.
    const list = i === 2 || i === 5 ? deletions(700) : edits(i, 60, 11, 20 + i, true)
    await author.write(db, list, i === 1 || i === 6 ? 'disk' : 'os')
  }
  return author.shape('many-logs')
}

/** One table, or two, and a log with or without markers; or an empty log, after a clean end. */
async function oneLog(name: string, options: Options, isClosed: boolean): Promise<Shape> {
  const author = new Author({ ...options, compression: 'none' })
  const db = await author.open()
  await author.write(db, edits(0, 40, 2, 1, true))
  await db.flush()
  author.rebase()
  await writeLog(author, db)
  if (isClosed) {
    await db.close()
    author.rebase()
  }
  return author.shape(name)
}
