/**
 * Sharing: lets other threads read the database of this one: hands out handles, tells readers of every change of the layers
 * and of every write, keeps what they use, and takes their writes. The protocol and why it is right: docs/rfcs/0013.
 *
 * Invariants  (1) a generation is stored after it was posted to every reader, and before any write that only it shows
 *             (2) the versions of the current generation, and of those that readers use or pin, are held; readers are asked
 *                 after the generation was stored
 *             (3) without readers nothing is held, and a commit costs one store, or none if nobody ever asked for a handle
 * Threads     belongs to the database's thread; what others see of it is in share-layout.ts
 */
import { assert } from '../../base/assert.ts'
import type { Environment } from '../../base/environment.ts'
import { NotSupportedError, toWire } from '../../base/errors.ts'
import type { SequenceNumber } from '../../base/types.ts'
import type { TransferablePort } from '../../env/node-port.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import type { Version } from '../../version/version.ts'
import type { ResolvedOptions } from '../options.ts'
import type { ReadState } from '../read/read-state.ts'
import { RemoteReader, type SharedLayers } from './remote-reader.ts'
import type { ShareHandle } from './share-handle.ts'
import * as Layout from './share-layout.ts'
import type { ToOwner, ToReader, WriteMessage } from './share-messages.ts'

/** What is shared. */
export interface SharingHost {
  readonly directory: string
  readonly options: ResolvedOptions
  readonly environment: Environment
  readonly readState: ReadState
  readonly lastSequence: SequenceNumber
  hold(version: Version): void
  unhold(version: Version): void
}

/** Commits what a reader writes. */
export type RemoteCommit = (message: WriteMessage) => Promise<void>

/** Bytes of MemTables that a reader may leave in its port: these, or so many write buffers. */
const UNTAKEN_BYTES_MAX = 64 * 1024 * 1024
const UNTAKEN_BUFFERS_MAX = 4

export class Sharing {
  readonly #host: SharingHost
  /** Called when a reader has let go of something. */
  readonly #onRelease: () => void
  /** Whether the handle has been used or not. */
  readonly #readers = new Set<RemoteReader>()
  readonly #ids = new WeakMap<MemTable, number>()
  /** Oldest first, each held; the last one is current. Empty without readers. */
  #generations: { readonly generation: number; readonly version: Version }[] = []
  #control: Int32Array<SharedArrayBuffer> | undefined = undefined
  #generation = 0
  #nextId = 1
  #isEnded = false
  #isReadStill = false

  constructor(host: SharingHost, onRelease: () => void) {
    this.#host = host
    this.#onRelease = onRelease
  }

  /** Handles that were given and whose threads have neither closed their readers nor ended. */
  get readerCount(): number {
    return this.#readers.size
  }

  /** Whether another thread may go on with a read that it had begun when this was closed. */
  get isReadStill(): boolean {
    return this.#isReadStill
  }

  /** @throws NotSupportedError if no other thread sees the same files */
  share(commit: RemoteCommit): ShareHandle {
    const { directory, options, environment, lastSequence } = this.#host
    if (environment.ports === undefined) throw new NotSupportedError('the environment has no threads to share with')
    const control = this.#control ?? new Int32Array(new SharedArrayBuffer(Layout.CONTROL_BYTES))
    this.#control = control
    Layout.storeSequence(control, lastSequence)
    const { near, far } = environment.ports.open()
    const untakenMax = Math.max(UNTAKEN_BYTES_MAX, UNTAKEN_BUFFERS_MAX * options.writeBufferBytes)
    const reader = new RemoteReader(near, untakenMax)
    this.#readers.add(reader)
    near.onMessage((message) => this.#handle(reader, message as ToOwner, commit))
    near.onClose(() => this.#left(reader))
    return {
      port: far as TransferablePort,
      directory,
      comparator: options.comparator.name,
      bloomBitsPerKey: options.bloomBitsPerKey,
      control: control.buffer,
      reader: reader.buffer,
    }
  }

  /** All writes up to this one are in the MemTables. */
  publish(sequence: SequenceNumber): void {
    if (this.#control !== undefined) Layout.storeSequence(this.#control, sequence)
  }

  /** The layers have changed: call before anything is written to new ones, and before the files of old ones are removed. */
  changed(): void {
    if (this.#isEnded) return
    if (this.#generations.length === 0) {
      if (this.#generation > 0) this.#passOver()
      return
    }
    const layers = this.#next()
    for (const reader of this.#readers) reader.post(layers)
    this.#announce()
    this.#sweep()
  }

  /** What the snapshots of all readers read at. */
  sequences(): SequenceNumber[] {
    const sequences: SequenceNumber[] = []
    for (const reader of this.#readers) reader.addSequences(sequences)
    return sequences
  }

  /** From now on reads are refused; writes that are under way are still answered. */
  end(): void {
    this.#isEnded = true
    if (this.#control !== undefined) Atomics.store(this.#control, Layout.GENERATION, Layout.CLOSED)
    for (const reader of this.#readers) reader.wake()
  }

  close(): void {
    this.end()
    for (const reader of this.#readers) {
      const { port } = reader
      this.#isReadStill ||= reader.mayRead
      port.post({ type: 'closed' } satisfies ToReader)
      port.close()
    }
    this.#readers.clear()
    this.#letGo(() => false)
  }

  #handle(reader: RemoteReader, message: ToOwner, commit: RemoteCommit): void {
    if (message.type === 'write') this.#write(reader, message, commit)
    else if (message.type === 'released') this.#released()
    else if (!this.#isEnded) this.#answer(reader)
  }

  #answer(reader: RemoteReader): void {
    if (this.#generations.length === 0) {
      this.#next()
      this.#announce()
    }
    reader.answer(this.#layers())
  }

  #write({ port }: RemoteReader, message: WriteMessage, commit: RemoteCommit): void {
    const { id } = message
    commit(message).then(
      () => port.post({ type: 'written', id, error: undefined } satisfies ToReader),
      (error) => port.post({ type: 'written', id, error: toWire(error) } satisfies ToReader),
    )
  }

  #left(reader: RemoteReader): void {
    if (this.#readers.delete(reader)) this.#released()
  }

  #released(): void {
    if (this.#readers.size === 0) this.#letGo(() => false)
    else this.#sweep()
    if (!this.#isEnded) this.#onRelease()
  }

  /** Hold the layers of this moment, as a new generation. */
  #next(): SharedLayers {
    const { version } = this.#host.readState
    this.#host.hold(version)
    this.#generation++
    assert(this.#generation < Layout.CLOSED, 'layers do not change that often')
    this.#generations.push({ generation: this.#generation, version })
    return this.#layers()
  }

  /** Nobody reads along. A thread whose port has been closed may still have older layers, and must see that there are newer ones. */
  #passOver(): void {
    this.#generation++
    this.#announce()
  }

  #layers(): SharedLayers {
    const { active, immutables, version } = this.#host.readState
    const memtables = [active, ...immutables].map((slot) => ({ id: this.#idOf(slot.table), slot }))
    return { generation: this.#generation, memtables, version }
  }

  /** Somebody was given a handle: before, there is no generation. */
  #announce(): void {
    Atomics.store(this.#control as Int32Array, Layout.GENERATION, this.#generation)
  }

  #sweep(): void {
    if (this.#generations.length < 2) return
    const used = new Set([this.#generation])
    for (const reader of this.#readers) reader.addGenerations(used)
    // A reader that was overtaken as it took one stores it all the same. If that is gone, the one that it used before is not: what is
    // in its port may begin with MemTables that are kept for that one alone.
    const kept = [...used].map(
      (number) => this.#generations.findLast(({ generation }) => generation <= number)?.generation,
    )
    this.#letGo((generation) => kept.includes(generation))
  }

  #letGo(isUsed: (generation: number) => boolean): void {
    const all = this.#generations
    this.#generations = all.filter(({ generation }) => isUsed(generation))
    for (const { generation, version } of all) if (!isUsed(generation)) this.#host.unhold(version)
  }

  #idOf(table: MemTable): number {
    const known = this.#ids.get(table)
    if (known !== undefined) return known
    this.#ids.set(table, this.#nextId)
    return this.#nextId++
  }
}
