/**
 * DBReader: a database that another thread has open, read on this thread: live, in place, with no message to the owner. A
 * read sees every write that was acknowledged, on any thread, before it began. Writes go to the owner. Made by `attach`.
 *
 * Threads  belongs to the thread that attached
 */
import type { Port } from '../../base/environment.ts'
import { ClosedError, fromWire, type VarveError, type WireError } from '../../base/errors.ts'
import { toKey } from '../../base/limits.ts'
import { toBatch, WriteBatch } from '../../batch/write-batch.ts'
import { closed, durabilityOf, type Input, promised, type WriteOptions } from '../call-options.ts'
import { DBReads } from '../db-reads.ts'
import type { Snapshot } from '../snapshot.ts'
import { checkRange } from '../write/range-writes.ts'
import { AttachedHost, type AttachedOptions } from './attached-host.ts'
import { AttachedLayers } from './attached-layers.ts'
import type { ShareHandle } from './share-handle.ts'
import type { ToOwner, ToReader } from './share-messages.ts'

interface PendingWrite {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A database that another thread has open, as `attach` returns it. It reads in place; writes go to the owner. */
export class DBReader extends DBReads {
  readonly #port: Port
  readonly #host: AttachedHost
  readonly #layers: AttachedLayers
  readonly #writes = new Map<number, PendingWrite>()
  #nextWrite = 1
  #closing: Promise<void> | undefined = undefined
  /** Called when there are layers, or never will be. */
  #onReady: (() => void) | undefined
  /** Called when no write is under way. */
  #onIdle: (() => void) | undefined = undefined
  /** The owner has said that it closes: what it has not answered has not been done. */
  #isFarewell = false
  #isEnded = false

  /** Made by `attach`. @internal @param onReady called once: `isOpen` tells whether it can be read */
  constructor(handle: ShareHandle, port: Port, options: AttachedOptions, onReady: () => void) {
    const { comparator, stallTimeoutMs, environment } = options
    // In the midst of a read, which may be cut off: what was in the message is lost then.
    const take = (message: ToReader): void => this.#host.calls.changing(() => this.#take(message))
    const layers = new AttachedLayers(handle, port, comparator, stallTimeoutMs, take)
    let host!: AttachedHost
    super(handle.directory, environment, (emit) => {
      host = new AttachedHost(handle, port, layers, options, emit, () => this.#end())
      return host
    })
    this.#port = port
    this.#host = host
    this.#layers = layers
    this.#onReady = onReady
    port.onMessage((message) => this.#take(message as ToReader))
    port.onClose(() => this.#end())
    port.keepAlive(true)
    layers.ask()
  }

  /** Whether neither the database nor this view of it has been closed. */
  get isOpen(): boolean {
    return this.#closing === undefined && !this.#layers.isClosed
  }

  override snapshot(): Snapshot {
    this.checkOpen()
    return this.#host.snapshots.take()
  }

  // Writing. The owner of the database writes; a promise resolves once it has, with the durability asked for, and what was
  // written is visible here and everywhere. Writes of one thread take effect in program order. Durability is by default the
  // database's.

  /** As DB.put. @throws (rejects with) as there; an error whose outcome is 'indeterminate' if the owner's thread died */
  put(key: Input, value: Input, options?: WriteOptions): Promise<void> {
    return promised(() => this.#write(new WriteBatch().put(key, value), options))
  }

  /** As DB.delete. */
  delete(key: Input, options?: WriteOptions): Promise<void> {
    return promised(() => this.#write(new WriteBatch().delete(key), options))
  }

  /** As DB.deleteRange. */
  deleteRange(start: Input, end: Input, options?: WriteOptions): Promise<void> {
    return promised(() => {
      const batch = new WriteBatch()
      if (!checkRange(this.#host.options.comparator, toKey(start), toKey(end))) batch.deleteRange(start, end)
      return this.#write(batch, options)
    })
  }

  /** As DB.write. */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    return promised(() => this.#write(toBatch(batch), options))
  }

  /** Release everything, once the writes under way are answered. The database stays open. A second call returns the same promise. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.endScans()
      this.#onIdle = () => {
        this.#end()
        resolve()
      }
      this.#settled()
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  protected override checkOpen(): void {
    if (this.#closing !== undefined) throw closed()
    this.#layers.refresh()
  }

  #write(batch: WriteBatch, options: WriteOptions | undefined): Promise<void> {
    if (this.#closing !== undefined) throw closed()
    this.#layers.check()
    // Without one it is the database's, which the owner knows.
    if (options !== undefined) durabilityOf(options, 'os')
    const durability = options?.durability
    const id = this.#nextWrite++
    // A clone of a part of a buffer is a clone of all of it.
    const encoded = batch.encoded().slice()
    this.#port.keepAlive(true)
    this.#port.post({ type: 'write', id, encoded, rangeCount: batch.rangeCount, durability } satisfies ToOwner)
    // Not before: what has not been sent is waited for in vain. The answer comes later than this.
    return new Promise<void>((resolve, reject) => this.#writes.set(id, { resolve, reject }))
  }

  #take(message: ToReader): void {
    if (this.#isEnded) return
    if (message.type === 'written') {
      this.#written(message.id, message.error)
    } else if (message.type === 'closed') {
      this.#isFarewell = true
      this.#end()
    } else if (message.type === 'behind') {
      this.#layers.ask()
    } else {
      this.#host.take(message)
      this.#ready()
    }
  }

  #written(id: number, error: WireError | undefined): void {
    const write = this.#writes.get(id)
    this.#writes.delete(id)
    if (error === undefined) write?.resolve()
    else write?.reject(fromWire(error))
    this.#settled()
  }

  #settled(): void {
    if (this.#writes.size > 0) return
    this.#port.keepAlive(false)
    this.#onIdle?.()
  }

  #ready(): void {
    const onReady = this.#onReady
    this.#onReady = undefined
    if (onReady === undefined) return
    this.#settled()
    onReady()
  }

  /** The owner is gone, or this thread lets go of it. */
  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.endScans()
    this.#host.close()
    this.#port.close()
    this.#host.damage.tell()
    for (const { reject } of this.#writes.values()) reject(this.#isFarewell ? closed() : lost())
    this.#writes.clear()
    this.#settled()
    this.#ready()
  }
}

function lost(): VarveError {
  return new ClosedError("the database's thread ended before it answered", { outcome: 'indeterminate' })
}
