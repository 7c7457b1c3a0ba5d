/**
 * Subject: an open database under measurement, as the timed loops see it. One implementation an engine: each calls its
 * engine in the way its documentation recommends, with Uint8Arrays for keys and values, and adds nothing to time.
 */
import type { Bytes } from '../src/base/types.ts'
import type { Operations } from './dataset.ts'
import type { Tally } from './tally.ts'

export interface SubjectOptions {
  /** varve's writeBufferBytes and LevelDB's write_buffer_size. */
  readonly writeBufferBytes: number
  /** Of table blocks; undefined for each engine's own default. */
  readonly cacheBytes: number | undefined
  /** Whether every write is to survive power loss: durability 'disk', or sync: true. Else 'os', or sync: false. */
  readonly isDurable: boolean
}

export interface Subject {
  put(key: Bytes, value: Bytes): Promise<void>
  putSync(key: Bytes, value: Bytes): void
  delete(key: Bytes): Promise<void>
  /** Write the operations [begin, limit) as one batch. */
  writeBatch(operations: Operations, begin: number, limit: number): Promise<void>
  get(key: Bytes): Promise<Bytes | undefined>
  getSync(key: Bytes): Bytes | undefined
  /** All entries, for `for await`. */
  scan(isReverse: boolean): AsyncIterable<readonly [key: Bytes, value: Bytes]>
  /** All entries, in the engine's fastest way to keys and values that the caller may keep. */
  scanBest(isReverse: boolean, tally: Tally): Promise<void>
  /** All entries, looked at where they lie: no copy of any. Of engines that can do it; of others, scanBest is taken. */
  scanInPlace?(tally: Tally): void
  /** Entries from `gte` on, before `lt` if there is one, `count` at most, in the engine's fastest way. */
  range(gte: Bytes, lt: Bytes | undefined, count: number, tally: Tally): Promise<void> | void
  close(): Promise<void>
  /** Set before each step of who has it: whether its keys are not there. */
  keysAreMissing?: boolean
}
