/**
 * Verdict: what a damaged database may do, and what it did.
 *
 * Legal    (1) the opening is refused: CorruptionError, or IOError where a file is no file any more. Then nothing has
 *              changed, nothing is open, nothing is locked
 *          (2) it opens with all that was written, and every read gives what was written or is a CorruptionError
 *          (3) it opens with the first k batches of the logs, whole ones, and says what it discarded; but only if the damage
 *              lies in a log, and no marker behind batch k is left to prove that more had been durable
 *          (4) as (3) without a word, if what is left of the logs is what an earlier moment left: the newest one ends
 *              with a whole record. Nothing can tell the two apart
 * Then it is written to, closed and opened again, and must hold what it held, and what was written.
 */
import type { Environment } from '../../src/base/environment.ts'
import { CorruptionError, IOError, VarveError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemoryFile } from '../../src/env/memory-file.ts'
import { MemoryTree, type Names } from '../../src/env/memory-tree.ts'
import { type Damage, damaged, touched } from './damages.ts'
import { DIRECTORY, type LogRecord, type Shape, type State } from './shapes.ts'

/** What is wrong. */
export class Violation extends Error {
  readonly kind: string

  constructor(kind: string, details: string) {
    super(details)
    this.kind = kind
  }
}

/** What came of it, as the campaign counts it. */
export type Outcome =
  | 'refused'
  | 'refused at a read'
  | 'as if nothing had happened'
  | 'tail discarded and reported'
  | 'as at an earlier moment'

const NODES = new WeakMap<Uint8Array, MemoryFile>()

/** A file that many environments share: nobody appends to what is there. */
function nodeOf(bytes: Uint8Array<ArrayBuffer>): MemoryFile {
  const node = NODES.get(bytes) ?? MemoryFile.durable(bytes)
  NODES.set(bytes, node)
  return node
}

export function environmentOf(files: ReadonlyMap<string, Uint8Array<ArrayBuffer> | undefined>): MemoryEnvironment {
  const names: Names = new Map([[DIRECTORY, 'directory']])
  for (const [name, bytes] of files)
    names.set(`${DIRECTORY}/${name}`, bytes === undefined ? 'directory' : nodeOf(bytes))
  return new MemoryEnvironment({}, new MemoryTree(new Map(names), names))
}

/** Damage a shape, use it, and judge. @throws Violation */
export async function judge(shape: Shape, damage: Damage): Promise<Outcome> {
  const environment = environmentOf(damaged(shape.files, damage))
  const before = new Map(environment.files.tree.live)
  let db: DB
  try {
    db = await open(DIRECTORY, { ...shape.options, environment })
  } catch (error) {
    checkRefusal(error, damage)
    checkUnchanged(environment, before)
    return 'refused'
  }
  const outcome = await judgeOpened(shape, damage, db, DIRECTORY, environment)
  if (environment.files.openCount > 0) throw new Violation('files left open', `${environment.files.openCount}`)
  return outcome
}

/** @throws Violation if the opening of a damaged database may not fail like this */
export function checkRefusal(error: unknown, damage: Pick<Damage, 'kind'> | undefined): void {
  if (error instanceof CorruptionError && error.file !== undefined) return
  // What is no file can be neither read nor replaced.
  const isNoFile = damage === undefined || ['directory', 'copy', 'swap'].includes(damage.kind)
  if (isNoFile && error instanceof IOError) return
  throw new Violation('opening fails with the wrong error', describeError(error))
}

function checkUnchanged({ files }: MemoryEnvironment, before: Names): void {
  const after = new Map(files.tree.live)
  after.delete(`${DIRECTORY}/LOCK`)
  const isSame = after.size === before.size && [...before].every(([path, node]) => after.get(path) === node)
  if (!isSame) throw new Violation('a refused opening changes files', [...after.keys()].join(', '))
  if (files.locks.size > 0) throw new Violation('a refused opening holds the lock', '')
  if (files.openCount > 0) throw new Violation('a refused opening leaves files open', `${files.openCount}`)
}

/** Read an opened database, write to it, and open it again. @throws Violation */
export async function judgeOpened(
  shape: Shape,
  damage: Damage,
  db: DB,
  directory: string,
  environment: Environment,
): Promise<Outcome> {
  let caught = 0
  let outcome: Outcome
  try {
    const { lastSequence, discarded } = db.recoveryInfo
    const batches = batchesOf(shape)
    const kept = batches.filter((batch) => batch.lastSequence <= lastSequence).length
    outcome = judgeTail(shape, damage, kept, discarded.length > 0)
    const expected = shape.states[kept]
    caught = readAll(shape, db, expected)
    db.putSync('zz', 'probe')
    await db.close()
    const again = await open(directory, { ...shape.options, environment })
    const more = new Map([...expected, ['zz', 'probe']])
    const caughtAgain = readAll(shape, again, more)
    if (caughtAgain > 0 && caught === 0) throw new Violation('damage appears after reopening', `${caughtAgain} reads`)
    await again.close()
  } catch (error) {
    if (error instanceof Violation) throw error
    throw new Violation('use after opening fails', describeError(error))
  }
  return caught > 0 ? 'refused at a read' : outcome
}

function batchesOf(shape: Shape): LogRecord[] {
  return shape.logs.flatMap((log) => log.records.filter((record) => !record.isMarker))
}

/** Whether it may have kept no more than so many batches. */
function judgeTail(shape: Shape, damage: Damage, kept: number, isReported: boolean): Outcome {
  const total = shape.states.length - 1
  if (kept === total) return 'as if nothing had happened'
  const proven = provenBatches(shape, damage)
  if (kept < proven) throw new Violation('lost writes that were provably durable', `${kept} of ${proven} batches`)
  if (isReported) return 'tail discarded and reported'
  if (!looksEarlier(shape, damage)) throw new Violation('lost writes without a word', `${kept} of ${total} batches`)
  return 'as at an earlier moment'
}

/** How many batches what is left proves to have been durable. */
function provenBatches(shape: Shape, damage: Damage): number {
  let batches = 0
  let proven = 0
  let isDamaged = false
  for (const { name, records } of shape.logs) {
    const range = touched(shape.files, damage, name)
    records.forEach((record, i) => {
      const isIntact = range === undefined || record.end <= range[0] || record.begin >= range[1]
      if (!isIntact) isDamaged = true
      if (isIntact && record.isMarker && i > 0) proven = batches
      if (!record.isMarker) batches++
      // Without markers a whole record behind the damage says that it is no torn tail; but not so if the first one is torn.
      if (!shape.hasMarkers && isIntact && isDamaged && (range?.[0] ?? 0) >= records[0].end) proven = batches
    })
  }
  return isDamaged ? proven : batches
}

/** Whether the logs are what they were at an earlier moment. */
function looksEarlier(shape: Shape, damage: Damage): boolean {
  const newest = shape.logs.at(-1)
  if (newest === undefined || damage.file !== newest.name) return false
  if (damage.kind === 'remove') return true
  return damage.kind === 'cut' && (damage.length === 0 || newest.records.some(({ end }) => end === damage.length))
}

/** Read everything in every way. @returns how many reads were refused as damaged */
function readAll(shape: Shape, db: DB, expected: State): number {
  let caught = 0
  for (const key of shape.keys) {
    const found = attempt(() => db.getSync(key))
    if (found === CAUGHT) caught++
    else compare(`get ${key}`, found === undefined ? undefined : text(found), expected.get(key))
  }
  const forwards = [...expected]
  caught += readScan('scan', db, false, forwards)
  return caught + readScan('scan backwards', db, true, forwards.reverse())
}

function readScan(what: string, db: DB, reverse: boolean, expected: readonly (readonly [string, string])[]): number {
  let at = 0
  const end = attempt(() => {
    for (const [key, value] of db.scanSync({ reverse })) {
      const [expectedKey, expectedValue] = expected[at++] ?? []
      compare(`${what}, key ${at}`, text(key), expectedKey)
      compare(`${what}, value ${at}`, text(value), expectedValue)
    }
  })
  if (end === CAUGHT) return 1
  compare(`${what}, entries`, String(at), String(expected.length))
  return 0
}

const CAUGHT = Symbol('caught')

function attempt<T>(read: () => T): T | typeof CAUGHT {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptionError && error.file !== undefined) return CAUGHT
    if (error instanceof Violation) throw error
    throw new Violation('a read fails with the wrong error', describeError(error))
  }
}

function compare(what: string, found: string | undefined, expected: string | undefined): void {
  if (found !== expected) throw new Violation('silently wrong', `${what}: ${show(found)}, should be ${show(expected)}`)
}

const decoder = new TextDecoder()

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

function show(value: string | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

function describeError(error: unknown): string {
  if (error instanceof VarveError) return `${error.code}: ${error.message}`
  return error instanceof Error ? `${error.stack}` : String(error)
}
