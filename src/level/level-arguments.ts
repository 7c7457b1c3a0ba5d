/**
 * Arguments: what abstract-level passes to a database's private methods, and what VarveLevel's own methods check.
 */
import type { AbstractLevel } from 'abstract-level'
import type { ReadOptions, WriteOptions } from '../public/index.ts'
import type { Data, Format } from './format.ts'
import type { SyncOptions } from './level-options.ts'
import { LevelSnapshot } from './level-snapshot.ts'

/** What abstract-level passes to a read. */
export interface PrivateReadOptions {
  readonly keyEncoding: Format
  readonly valueEncoding: Format
  readonly snapshot?: LevelSnapshot
}

export interface Operation {
  readonly type: 'put' | 'del'
  readonly key: Data
  readonly value: Data
}

const SYNC: WriteOptions = { durability: 'disk' }

/** As classic-level's. Made anew for each database: abstract-level keeps it. */
export function manifest(): ConstructorParameters<typeof AbstractLevel>[0] {
  const declared = {
    encodings: { buffer: true, utf8: true, view: true },
    has: true,
    createIfMissing: true,
    errorIfExists: true,
    explicitSnapshots: true,
    getSync: true,
    additionalMethods: { approximateSize: true, compactRange: true },
    signals: { iterators: true },
  }
  return declared
}

export function checkLocation(location: unknown): void {
  if (typeof location === 'string' && location !== '') return
  throw new TypeError("The first argument 'location' must be a non-empty string")
}

export function checkRange(range: unknown[]): unknown[] {
  if (range.length < 2) throw new TypeError("The arguments 'start' and 'end' are required")
  return range
}

export function readOptions({ snapshot }: PrivateReadOptions): ReadOptions | undefined {
  const given = LevelSnapshot.of(snapshot)
  return given === undefined ? undefined : { snapshot: given }
}

export function writeOptions({ sync }: SyncOptions): WriteOptions | undefined {
  return sync === true ? SYNC : undefined
}
