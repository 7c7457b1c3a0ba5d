/**
 * Checkpoint: a copy of an open database in another directory, as of one moment, while writes go on. It opens by itself, in
 * varve and in LevelDB, and costs no space for the tables where the file system can link them.
 *
 * Order       tables linked, or copied and synced → logs copied up to the last acknowledged write, synced → a new MANIFEST
 *             that names just these → CURRENT
 * Invariants  (1) without CURRENT the target is no database: a checkpoint that fails, or that a crash cuts short, does not open
 *             (2) a linked table belongs to both databases; neither ever writes to it, and each removes its own name only
 */
import { closeQuietly } from '../../base/close-all.ts'
import type { FileSystem } from '../../base/environment.ts'
import { AlreadyExistsError } from '../../base/errors.ts'
import { CURRENT, LOCK, manifestName, temporaryName } from '../../base/filename.ts'
import { checkPath } from '../../base/text.ts'
import { ManifestWriter } from '../../version/manifest.ts'
import type { CheckpointInfo } from '../call-options.ts'
import type { Engine } from '../engine.ts'
import { Capture, type CopyMoment } from './capture.ts'
import { copySteps, linkOrCopySteps } from './copy-file.ts'
import type { Steps } from './long-runs.ts'

/**
 * @param target must not exist, or be an empty directory; if it is relative, of where the process works now
 * @throws AlreadyExistsError, InvalidArgumentError; the steps, those and ClosedError, ReadOnlyError, CorruptionError, IOError
 */
export function checkpointSteps(engine: Engine, target: string, moment: CopyMoment): Steps<CheckpointInfo> {
  const { files } = engine.environment
  checkTarget(files, target)
  return checkpointInto(engine, target, files.absolute?.(target) ?? target, moment)
}

/** @param target as it was given, and the path of it */
function* checkpointInto(engine: Engine, target: string, path: string, moment: CopyMoment): Steps<CheckpointInfo> {
  const { files } = engine.environment
  checkTarget(files, path)
  const capture = new Capture(engine, moment)
  const made: string[] = []
  let isDone = false
  try {
    files.makeDirectory(path)
    const info = yield* copyAll(files, capture, path, made)
    isDone = true
    return { ...info, directory: target }
  } finally {
    capture.release()
    if (!isDone) for (const file of made.reverse()) closeQuietly(() => files.remove(file))
  }
}

function* copyAll(files: FileSystem, capture: Capture, target: string, made: string[]): Steps<CheckpointInfo> {
  let tables = 0
  let tableBytes = 0
  for (const { name, path, bytes } of capture.tables()) {
    const to = files.join(target, name)
    yield* checked(capture, linkOrCopySteps(files, path, to))
    made.push(to)
    tables++
    tableBytes += bytes
    yield
  }
  let logBytes = 0
  for (const { name, file, bytes } of capture.logs) {
    const to = files.join(target, name)
    yield* checked(capture, copySteps(files, file, bytes, to))
    made.push(to)
    logBytes += bytes
  }
  capture.check()
  const number = capture.manifestNumber
  // CURRENT is the last one made, and the first to go should it fail.
  for (const name of [manifestName(number), temporaryName(number), CURRENT]) made.push(files.join(target, name))
  ManifestWriter.create(files, target, number, capture.edits).close()
  const { logs, lastSequence } = capture
  return { directory: target, tables, tableBytes, logs: logs.length, logBytes, lastSequence }
}

/** The steps of a copy, as long as the database is open. */
function* checked(capture: Capture, steps: Steps<void>): Steps<void> {
  capture.check()
  for (const _ of steps) {
    yield
    capture.check()
  }
}

/** @throws InvalidArgumentError, AlreadyExistsError unless `target` may become a database */
export function checkTarget(files: FileSystem, target: string): void {
  checkPath(target, 'the target')
  const status = files.status(target)
  if (status === undefined) return
  if (status.kind !== 'directory') throw new AlreadyExistsError(`${target} exists, and is not a directory`)
  // A lock file stays where a database was destroyed, or could not be restored.
  const names = files.list(target).filter((name) => name !== LOCK)
  if (names.length > 0) throw new AlreadyExistsError(`${target} is not empty: it holds ${names.slice(0, 3).join(', ')}`)
}
