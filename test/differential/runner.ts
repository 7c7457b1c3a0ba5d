/**
 * Runs a list of operations on an engine and keeps its answers: one line for each operation that has one. What runs the same
 * list must give the same lines, whatever its options.
 */
import { toHex } from '../../src/base/bytes.ts'
import type { Bounds, Bytes, Edit, Operation } from './operations.ts'

/** Entries of a scan that is open; undefined at its end. */
export interface Cursor {
  next(): Promise<readonly [Uint8Array, Uint8Array] | undefined>
  close(): Promise<void>
}

/** A database under test. A snapshot is whatever the engine has for it. */
export interface Subject<S> {
  open(): Promise<void>
  close(): Promise<void>
  write(edits: readonly Edit[], isSync: boolean): Promise<void>
  get(key: Bytes, snapshot: S | undefined): Promise<Uint8Array | undefined>
  scan(bounds: Bounds, snapshot: S | undefined): Cursor
  snapshot(): S
  closeSnapshot(snapshot: S): Promise<void>
  /** The keys from `from` to `to`, or all. */
  compact(from?: Bytes, to?: Bytes): Promise<void>
  flush(): Promise<void>
}

const SNAPSHOTS_MAX = 4
const CURSORS_MAX = 3

export class Run<S> {
  readonly answers: string[] = []
  readonly #subject: Subject<S>
  readonly #snapshots: S[] = []
  readonly #cursors: Cursor[] = []

  constructor(subject: Subject<S>) {
    this.#subject = subject
  }

  /** @returns the answers, the last one being all that there is */
  async run(operations: readonly Operation[]): Promise<readonly string[]> {
    await this.#subject.open()
    try {
      for (const [i, operation] of operations.entries()) {
        const answer = await this.#do(operation)
        if (answer !== undefined) this.answers.push(`${i} ${operation.type}: ${answer}`)
      }
      this.answers.push(`in the end: ${await this.#drain(this.#subject.scan({}, undefined))}`)
      await this.#letGo()
    } finally {
      await this.#subject.close()
    }
    return this.answers
  }

  async #do(operation: Operation): Promise<string | undefined> {
    switch (operation.type) {
      case 'write':
        await this.#subject.write(operation.edits, operation.isSync)
        return undefined
      case 'get': {
        const found = await this.#subject.get(operation.key, this.#snapshots[operation.snapshot])
        return found === undefined ? 'nothing' : toHex(found)
      }
      case 'scan':
        return this.#drain(this.#subject.scan(operation.bounds, this.#snapshots[operation.snapshot]))
      case 'openScan':
        if (this.#cursors.length === CURSORS_MAX) await this.#cursors.shift()?.close()
        this.#cursors.push(this.#subject.scan(operation.bounds, undefined))
        return undefined
      case 'stepScan':
        return this.#step(this.#cursors[operation.which], operation.count)
      case 'compact':
        await this.#subject.compact(operation.from, operation.to)
        return undefined
      default:
        return this.#manage(operation.type)
    }
  }

  async #manage(type: string): Promise<undefined> {
    if (type === 'snapshot') {
      if (this.#snapshots.length === SNAPSHOTS_MAX) await this.#closeSnapshot()
      this.#snapshots.push(this.#subject.snapshot())
    }
    if (type === 'closeSnapshot') await this.#closeSnapshot()
    if (type === 'closeScan') await this.#cursors.shift()?.close()
    if (type === 'flush') await this.#subject.flush()
    if (type === 'compactAll') await this.#subject.compact()
    if (type !== 'reopen') return
    await this.#letGo()
    await this.#subject.close()
    await this.#subject.open()
    this.answers.push(`reopened: ${await this.#drain(this.#subject.scan({}, undefined))}`)
  }

  async #closeSnapshot(): Promise<void> {
    const snapshot = this.#snapshots.shift()
    if (snapshot !== undefined) await this.#subject.closeSnapshot(snapshot)
  }

  async #letGo(): Promise<void> {
    while (this.#snapshots.length > 0) await this.#closeSnapshot()
    for (const cursor of this.#cursors.splice(0)) await cursor.close()
  }

  async #step(cursor: Cursor | undefined, count: number): Promise<string> {
    const lines: string[] = []
    for (let i = 0; cursor !== undefined && i < count; i++) {
      const entry = await cursor.next()
      lines.push(entry === undefined ? 'end' : `${toHex(entry[0])}=${toHex(entry[1])}`)
    }
    return lines.join(' ')
  }

  async #drain(cursor: Cursor): Promise<string> {
    const lines: string[] = []
    for (let entry = await cursor.next(); entry !== undefined; entry = await cursor.next()) {
      lines.push(`${toHex(entry[0])}=${toHex(entry[1])}`)
    }
    await cursor.close()
    return lines.join(' ')
  }
}
