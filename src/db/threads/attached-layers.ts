/**
 * AttachedLayers: the layers of a database that another thread owns, followed by its messages and the words of its control
 * block. docs/rfcs/0013 has the protocol.
 *
 * Invariants  (1) the generation in use is stored before the generation of the database is loaded: if that is not newer, the
 *                 tables of the layers at hand stay
 *             (2) layers change only in `take`: as the event loop turns, or in `refresh` and `lastSequence`
 * Threads     belongs to the reading thread
 */
import { assert } from '../../base/assert.ts'
import type { Comparator } from '../../base/comparator.ts'
import type { Port } from '../../base/environment.ts'
import { StalledError } from '../../base/errors.ts'
import type { SequenceNumber } from '../../base/types.ts'
import { MemTable } from '../../memtable/memtable.ts'
import { Version } from '../../version/version.ts'
import { VersionBuilder } from '../../version/version-builder.ts'
import { closed } from '../call-options.ts'
import type { MemTableSlot, ReadState } from '../read/read-state.ts'
import type { ShareHandle } from './share-handle.ts'
import * as Layout from './share-layout.ts'
import type { FreshMemTable, LayersMessage, ToOwner, ToReader } from './share-messages.ts'

export class AttachedLayers {
  readonly #port: Port
  readonly #control: Int32Array
  readonly #words: Int32Array
  readonly #comparator: Comparator
  readonly #timeoutMs: number
  /** What is in the port. */
  readonly #onMessage: (message: ToReader) => void
  #memtables = new Map<number, MemTableSlot>()
  #state: ReadState | undefined = undefined
  /** 0 before the first layers. */
  #generation = 0
  #isWaiting = false
  #isClosed = false

  /**
   * @param timeoutMs longest wait for layers that have to be asked for
   * @param onMessage called with each message that is taken by hand; hands layers to `take`
   */
  constructor(
    handle: ShareHandle,
    port: Port,
    comparator: Comparator,
    timeoutMs: number,
    onMessage: (message: ToReader) => void,
  ) {
    this.#port = port
    this.#control = new Int32Array(handle.control)
    this.#words = new Int32Array(handle.reader)
    this.#comparator = comparator
    this.#timeoutMs = timeoutMs
    this.#onMessage = onMessage
  }

  /** Newest visible sequence; the layers at hand show everything up to it. @throws as refresh */
  get lastSequence(): SequenceNumber {
    for (;;) {
      const sequence = Layout.loadSequence(this.#control)
      if (this.isCurrent) return sequence as SequenceNumber
      this.refresh()
    }
  }

  get state(): ReadState {
    assert(this.#state !== undefined, 'there are layers')
    return this.#state
  }

  get generation(): number {
    return this.#generation
  }

  /** Whether the owner has no newer layers: then those at hand may be read. */
  get isCurrent(): boolean {
    return Atomics.load(this.#control, Layout.GENERATION) <= this.#generation && !this.#isClosed
  }

  /** Whether the owner has closed the database, or this thread its reader. */
  get isClosed(): boolean {
    return this.#isClosed || Atomics.load(this.#control, Layout.GENERATION) === Layout.CLOSED
  }

  /**
   * Take the newest layers, if there are newer ones than those at hand.
   * @throws ClosedError; StalledError if they had to be asked for and did not come in time
   */
  refresh(): void {
    while (!this.isCurrent) {
      // First: who closes the database stores that, and then wakes whoever sleeps.
      const heard = Atomics.load(this.#words, Layout.ANSWERED)
      this.check()
      const message = this.#port.receiveNow()
      if (message !== undefined) this.#onMessage(message as ToReader)
      else this.#wait(heard)
    }
  }

  /** @throws ClosedError */
  check(): void {
    if (this.isClosed) throw closed()
  }

  /** Ask for the layers as a whole. */
  ask(): void {
    if (this.#isWaiting) return
    Atomics.store(this.#words, Layout.WAITING, 1)
    this.#port.post({ type: 'layers' } satisfies ToOwner)
    // Last: asked twice, the owner answers twice.
    this.#isWaiting = true
  }

  /** Go on with these layers, if they follow those at hand. @returns the version that they replace, if it is another one */
  take(message: LayersMessage): Version | undefined {
    if (!this.#follows(message)) return undefined
    const { isWhole, generation, memtables, newFiles, deletedFiles, fresh } = message
    const before = isWhole ? Version.empty(this.#comparator) : this.state.version
    const isSame = !isWhole && newFiles.length === 0 && deletedFiles.length === 0
    const version = isSame
      ? before
      : new VersionBuilder(this.#comparator, before).apply({ newFiles, deletedFiles }).build()
    assert(typeof version !== 'string', 'a version of the owner is a possible one')
    const replaced = this.#state?.version
    const known = this.#memtables
    this.#memtables = new Map(memtables.map((id) => [id, known.get(id) ?? this.#attach(id, fresh)]))
    const [active, ...immutables] = this.#memtables.values()
    this.#state = { active, immutables, version }
    this.#generation = generation
    // What comes next may begin with MemTables that are flushed by now, and kept for what is in use (Sharing.#sweep).
    if (Atomics.load(this.#control, Layout.GENERATION) <= generation)
      Atomics.store(this.#words, Layout.IN_USE, generation)
    return replaced === version ? undefined : replaced
  }

  /** Use nothing any more. */
  close(): void {
    this.#isClosed = true
    Atomics.store(this.#words, Layout.IN_USE, Layout.NONE_ANY_MORE)
  }

  /**
   * A change says what differs from the one before. In Deno, one that is taken by hand may overtake one that the event loop
   * has taken out of the port, and not handed over yet: then the layers are asked for, and what comes too late is passed over.
   */
  #follows({ isWhole, generation }: LayersMessage): boolean {
    if (isWhole) this.#isWaiting = false
    if (generation <= this.#generation) return false
    const follows = isWhole || generation === this.#generation + 1
    if (!follows) this.ask()
    return follows
  }

  #wait(heard: number): void {
    this.ask()
    if (Atomics.wait(this.#words, Layout.ANSWERED, heard, this.#timeoutMs) !== 'timed-out') return
    throw new StalledError(`the database's thread has not answered within ${this.#timeoutMs} ms`)
  }

  #attach(id: number, fresh: readonly FreshMemTable[]): MemTableSlot {
    const found = fresh.find((other) => other.id === id)
    assert(found !== undefined, 'every MemTable has been sent')
    const { token, logNumber, firstSequence } = found
    return {
      table: MemTable.attach(token, { comparator: this.#comparator }),
      log: { number: logNumber },
      firstSequence,
    }
  }
}
