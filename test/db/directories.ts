/**
 * Directories of a database as plain maps, for tests that damage them: made once, changed a byte at a time, opened, and
 * compared afterwards.
 */
import { VarveError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'

export const DIRECTORY = '/db'

/** File name → bytes; the lock file is not part of it. */
export type Directory = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

/** The files of a database in an environment, as they are now. */
export function directoryOf(memory: MemoryEnvironment): Directory {
  const names = memory.paths().filter((path) => path.startsWith(`${DIRECTORY}/`) && !path.endsWith('/LOCK'))
  return new Map(names.map((path) => [path.slice(DIRECTORY.length + 1), memory.readAll(path)]))
}

/** An environment with these files, all durable. */
export function environmentOf(directory: Directory): MemoryEnvironment {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory(DIRECTORY)
  for (const [name, bytes] of directory) memory.write(`${DIRECTORY}/${name}`, bytes)
  return memory
}

/** With one file replaced, or removed. */
export function withFile(directory: Directory, name: string, bytes: Uint8Array<ArrayBuffer> | undefined): Directory {
  const changed = new Map(directory)
  if (bytes === undefined) changed.delete(name)
  else changed.set(name, bytes)
  return changed
}

/** A directory as text, to compare two. */
export function fingerprint(directory: Directory): string {
  return [...directory].map(([name, bytes]) => `${name} ${Buffer.from(bytes).toString('base64')}`).join('\n')
}

/** What a run of `body` on a new database leaves of it if the process is killed. */
export async function leftBy(body: (db: DB) => Promise<void> | void, options: Options = {}): Promise<Directory> {
  const memory = new MemoryEnvironment()
  await body(await openIn(memory, options))
  return directoryOf(memory)
}

export function openIn(memory: MemoryEnvironment, options: Options = {}): Promise<DB> {
  return open(DIRECTORY, { workers: 0, writeBufferBytes: 16384, environment: memory, ...options })
}

/** All entries, as `key=value`. */
export function entriesOf(db: DB): string[] {
  return Array.from(db.scanSync(), ([key, value]) => `${Buffer.from(key)}=${Buffer.from(value)}`)
}

/** The error with which the opening of a directory is refused, which must leave the directory as it was; or the database. */
export async function tryOpen(directory: Directory, options: Options = {}): Promise<DB | VarveError> {
  const memory = environmentOf(directory)
  try {
    return await openIn(memory, options)
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    if (fingerprint(directoryOf(memory)) !== fingerprint(directory)) throw new Error('a refused opening changed files')
    if (memory.files.locks.size > 0) throw new Error('a refused opening holds the lock')
    if (memory.files.openCount > 0) throw new Error('a refused opening leaves files open')
    return error
  }
}

/** The offsets after the records of a log without damage, the first of them 0. */
export function recordEnds(log: Uint8Array): number[] {
  const ends = [0]
  // A type of 0 is the room behind the last one.
  for (let at = 0; at < log.length && log[at + 6] !== 0; ends.push(at)) at += 7 + (log[at + 4] | (log[at + 5] << 8))
  return ends
}

/** Every place in a file; but of the room at the end of a log only a few, since it is longer than all the rest. */
export function placesIn(bytes: Uint8Array): number[] {
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1
  return [...bytes.keys()].filter((at) => at < used + 16 || at % 1999 === 0 || at === bytes.length - 1)
}

export function flipped(bytes: Uint8Array<ArrayBuffer>, offset: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice()
  copy[offset] ^= 0xff
  return copy
}
