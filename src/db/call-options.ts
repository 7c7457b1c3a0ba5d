/**
 * What the calls of a database take beside their keys and values, what they throw when it is closed, and what a checkpoint gives.
 */
import { ClosedError, InvalidArgumentError } from '../base/errors.ts'
import { checkCallOptions, checkFlag } from '../base/known-options.ts'
import type { Durability } from '../base/types.ts'
import type { Snapshot } from './snapshot.ts'

/** A key or a value: bytes, or a string that is stored as UTF-8. */
export type Input = string | Uint8Array

/** Options of `put`, `delete`, `deleteRange` and `write`. */
export interface WriteOptions {
  /** How far this write gets before it is acknowledged. Default: the database's. */
  readonly durability?: Durability | undefined
}

/** Options of `get`, `has` and `getMany`. */
export interface ReadOptions {
  /** The state to read. Default: that at the time of the call. */
  readonly snapshot?: Snapshot | undefined
}

/** Options of `flush`. */
export interface FlushOptions {
  /** Ends the waiting; a flush that has begun goes on. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `compactRange`. */
export interface CompactOptions {
  /** Ends the waiting, and cancels steps that have not begun; the one under way is completed. */
  readonly signal?: AbortSignal | undefined
}

/** A range of keys: from `start`, inclusive, to `end`, exclusive. */
export interface KeyRange {
  readonly start: Input
  readonly end: Input
}

/** Options of `checkpoint` and `backup`. */
export interface CopyOptions {
  /**
   * Write what is in memory to tables first, so that the copy has hardly any log to replay. Default: only if memory holds
   * range deletes. If the flush fails, the call rejects only if you asked for it.
   */
  readonly flush?: boolean | undefined
  /** Aborts the copying. */
  readonly signal?: AbortSignal | undefined
}

// Here, since the declarations of what makes one lead to all of the engine.
/** What a checkpoint contains. */
export interface CheckpointInfo {
  readonly directory: string
  readonly tables: number
  readonly tableBytes: number
  readonly logs: number
  readonly logBytes: number
  /** Sequence number of the last write in it. */
  readonly lastSequence: number
}

const WRITE_OPTIONS = new Set(['durability'])
const COPY_OPTIONS = new Set(['flush', 'signal'])

/** The durability that a write asks for. @throws InvalidArgumentError */
export function durabilityOf(options: WriteOptions, fallback: Durability): Durability {
  checkCallOptions('a write', options, WRITE_OPTIONS)
  const { durability = fallback } = options
  if (durability !== 'buffered' && durability !== 'os' && durability !== 'disk') {
    throw new InvalidArgumentError("durability must be 'buffered', 'os' or 'disk'")
  }
  return durability
}

/** @throws InvalidArgumentError */
export function checkCopyOptions(call: string, options: CopyOptions): void {
  checkCallOptions(call, options, COPY_OPTIONS)
  checkFlag(call, 'flush', options.flush)
}

/** What a call of a closed database throws. */
export function closed(): ClosedError {
  return new ClosedError('the database is closed', { outcome: 'not-written' })
}

/** Throws become rejections. */
export function promised<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return Promise.resolve(call())
  } catch (error) {
    return Promise.reject(error)
  }
}
