/**
 * varve and LevelDB 1.20 in C++ (classic-level) as subjects of a run.
 */
import { ClassicLevel } from 'classic-level'
import { type DB, type Options, open, type Snapshot, WriteBatch } from '../../src/public/index.ts'
import type { Bounds, Bytes, Edit } from './operations.ts'
import type { Cursor, Subject } from './runner.ts'

export class VarveSubject implements Subject<Snapshot> {
  readonly #directory: string
  readonly #options: Options
  #db: DB | undefined = undefined

  constructor(directory: string, options: Options) {
    this.#directory = directory
    this.#options = options
  }

  get db(): DB {
    return this.#db as DB
  }

  async open(): Promise<void> {
    this.#db = await open(this.#directory, this.#options)
  }

  close(): Promise<void> {
    return this.db.close()
  }

  async write(edits: readonly Edit[], isSync: boolean): Promise<void> {
    const { db } = this
    if (edits.length !== 1) {
      const batch = batchOf(edits)
      return isSync ? db.writeSync(batch) : db.write(batch)
    }
    const { key, value, end } = edits[0]
    if (end !== undefined) return isSync ? db.deleteRangeSync(key, end) : db.deleteRange(key, end)
    if (value === undefined) return isSync ? db.deleteSync(key) : db.delete(key)
    return isSync ? db.putSync(key, value) : db.put(key, value)
  }

  get(key: Bytes, snapshot: Snapshot | undefined): Promise<Uint8Array | undefined> {
    return this.db.get(key, snapshot === undefined ? {} : { snapshot })
  }

  scan(bounds: Bounds, snapshot: Snapshot | undefined): Cursor {
    const scan = this.db.scan({ ...bounds, ...(snapshot !== undefined && { snapshot }) })
    return {
      next: async () => {
        const { done, value } = await scan.next()
        return done ? undefined : value
      },
      close: async () => scan.close(),
    }
  }

  snapshot(): Snapshot {
    return this.db.snapshot()
  }

  async closeSnapshot(snapshot: Snapshot): Promise<void> {
    snapshot.close()
  }

  compact(from?: Bytes, to?: Bytes): Promise<void> {
    return this.db.compactRange(from, to)
  }

  flush(): Promise<void> {
    return this.db.flush()
  }
}

function batchOf(edits: readonly Edit[]): WriteBatch {
  const batch = new WriteBatch()
  for (const { key, value, end } of edits) {
    if (end !== undefined) batch.deleteRange(key, end)
    else if (value === undefined) batch.delete(key)
    else batch.put(key, value)
  }
  return batch
}

type Level = ClassicLevel<Uint8Array, Uint8Array>
type LevelSnapshot = ReturnType<Level['snapshot']>
type LevelEdit = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array }

const BEYOND_ALL = new Uint8Array(8).fill(0xff)

export class LevelSubject implements Subject<LevelSnapshot> {
  readonly #directory: string
  #db: Level | undefined = undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  async open(): Promise<void> {
    this.#db = new ClassicLevel<Uint8Array, Uint8Array>(this.#directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize: 64 * 1024,
    })
    await this.#level.open()
  }

  get #level(): Level {
    return this.#db as Level
  }

  close(): Promise<void> {
    return this.#level.close()
  }

  /** LevelDB has no range deletes: a delete of each key that is there, or was put before in the same batch. */
  async write(edits: readonly Edit[]): Promise<void> {
    const expanded: LevelEdit[] = []
    for (const { key, value, end } of edits) {
      if (end === undefined) {
        expanded.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value })
        continue
      }
      const isInside = (held: Uint8Array): boolean => Buffer.compare(key, held) <= 0 && Buffer.compare(held, end) < 0
      const before = expanded.filter((edit) => isInside(edit.key)).map((edit) => edit.key)
      const held = Buffer.compare(key, end) < 0 ? await this.#level.keys({ gte: key, lt: end }).all() : []
      for (const covered of [...before, ...held]) expanded.push({ type: 'del', key: covered })
    }
    await this.#level.batch(expanded)
  }

  get(key: Bytes, snapshot: LevelSnapshot | undefined): Promise<Uint8Array | undefined> {
    return this.#level.get(key, snapshot === undefined ? {} : { snapshot })
  }

  scan(bounds: Bounds, snapshot: LevelSnapshot | undefined): Cursor {
    const iterator = this.#level.iterator({ ...bounds, ...(snapshot !== undefined && { snapshot }) })
    return { next: () => iterator.next(), close: () => iterator.close() }
  }

  snapshot(): LevelSnapshot {
    return this.#level.snapshot()
  }

  closeSnapshot(snapshot: LevelSnapshot): Promise<void> {
    return snapshot.close()
  }

  compact(from: Bytes = new Uint8Array(0), to: Bytes = BEYOND_ALL): Promise<void> {
    return this.#level.compactRange(from, to)
  }

  async flush(): Promise<void> {}
}
