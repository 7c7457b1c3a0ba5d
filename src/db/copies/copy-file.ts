/**
 * Copying a file, durably but for its name: in steps, so that a large one does not keep the event loop from turning.
 */
import { closeQuietly } from '../../base/close-all.ts'
import type { FileSystem, RandomAccessFile, WritableFile } from '../../base/environment.ts'
import type { Steps } from './long-runs.ts'

const CHUNK_BYTES = 1024 * 1024

/**
 * Copy the first `bytes` bytes of an open file to a new one. A copy that fails is removed.
 * @throws IOError; also if there is something named `to`, which stays
 */
export function* copySteps(files: FileSystem, source: RandomAccessFile, bytes: number, to: string): Steps<void> {
  const chunk = new Uint8Array(Math.min(bytes, CHUNK_BYTES))
  const target = files.createWritable(to)
  let isDone = false
  try {
    for (let offset = 0; offset < bytes; offset += chunk.length) {
      const length = Math.min(chunk.length, bytes - offset)
      source.read(offset, chunk, 0, length)
      target.append(chunk, 0, length)
      yield
    }
    target.sync()
    isDone = true
  } finally {
    if (isDone) closeNew(files, target)
    else
      closeQuietly(
        () => target.close(),
        () => files.remove(to),
      )
  }
}

/** Close a new file, which is removed if that fails: it may be the only report of a failed write. */
function closeNew(files: FileSystem, file: WritableFile): void {
  try {
    file.close()
  } catch (error) {
    closeQuietly(() => files.remove(file.path))
    throw error
  }
}

/** Copy a file to a new one. Errors as for copySteps. */
export function* copyFileSteps(files: FileSystem, from: string, to: string): Steps<void> {
  const source = files.openRandomAccess(from)
  try {
    yield* copySteps(files, source, source.bytes, to)
  } finally {
    source.close()
  }
}

/** Give a file a further name, or copy it where that cannot be. Errors as for copySteps. */
export function* linkOrCopySteps(files: FileSystem, from: string, to: string): Steps<void> {
  try {
    files.link(from, to)
  } catch {
    // Another disk, or a file system without links: the copy tells if it is something else.
    yield* copyFileSteps(files, from, to)
  }
}
