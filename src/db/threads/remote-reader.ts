/**
 * RemoteReader: one reading thread, as the owner of the database sees it: its port, its block of shared memory, and what it has
 * been sent. A reader that leaves too much in its port is sent nothing more until it asks.
 *
 * Threads  belongs to the database's thread
 */
import type { Port } from '../../base/environment.ts'
import type { SequenceNumber } from '../../base/types.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { Version } from '../../version/version.ts'
import type { LevelFile, LevelNumber } from '../../version/version-edit.ts'
import type { MemTableSlot } from '../read/read-state.ts'
import * as Layout from './share-layout.ts'
import type { LayersMessage, ToReader } from './share-messages.ts'

/** A MemTable and the number that it has for readers. */
export interface SharedMemTable {
  readonly id: number
  readonly slot: MemTableSlot
}

export interface SharedLayers {
  readonly generation: number
  /** Newest first. */
  readonly memtables: readonly SharedMemTable[]
  readonly version: Version
}

/** Changes of layers that a reader may leave in its port, whatever their size. */
const UNTAKEN_MAX = 1000

export class RemoteReader {
  readonly port: Port
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #untakenBytesMax: number
  /** What it has when it has taken everything; undefined if it has to ask first. */
  #posted: SharedLayers | undefined = undefined
  /** The generation of what it was sent first; 0 before that. */
  #first = 0
  /** What it may not have taken yet: generations, and the bytes of the MemTables that came with them. */
  #untaken: { readonly generation: number; readonly bytes: number }[] = []

  /** @param untakenBytesMax bytes of MemTables that it may leave in its port */
  constructor(port: Port, untakenBytesMax: number) {
    this.port = port
    this.buffer = new SharedArrayBuffer(Layout.READER_BYTES)
    this.#words = new Int32Array(this.buffer)
    this.#untakenBytesMax = untakenBytesMax
  }

  /** Send it what has changed. */
  post(layers: SharedLayers): void {
    if (this.#posted === undefined) {
      // Its question may be in the port of a thread that does not turn its event loop.
      this.answer(layers)
      return
    }
    const known = new Set(this.#posted.memtables.map(({ id }) => id))
    const message = layersMessage(this.#posted.version, layers, known)
    const inUse = Atomics.load(this.#words, Layout.IN_USE)
    this.#untaken = this.#untaken.filter(({ generation }) => generation > inUse)
    const bytes = message.fresh.reduce((sum, { token }) => sum + token.buffer.byteLength, 0)
    const untakenBytes = this.#untaken.reduce((sum, change) => sum + change.bytes, bytes)
    if (this.#untaken.length < UNTAKEN_MAX && untakenBytes <= this.#untakenBytesMax) {
      this.#send(layers, message, bytes)
    } else {
      this.#posted = undefined
      this.port.post({ type: 'behind' } satisfies ToReader)
    }
  }

  /** Send it the layers as a whole, if it has asked for them and has not been answered. */
  answer(layers: SharedLayers): void {
    if (Atomics.compareExchange(this.#words, Layout.WAITING, 1, 0) !== 1) return
    this.#untaken = []
    this.#send(layers, layersMessage(undefined, layers, new Set()), 0)
    this.wake()
  }

  /** If it sleeps until it is answered, have it look again. */
  wake(): void {
    Atomics.add(this.#words, Layout.ANSWERED, 1)
    Atomics.notify(this.#words, Layout.ANSWERED)
  }

  /** Note the generations that it needs. */
  addGenerations(used: Set<number>): void {
    // In this order: a scan takes its slot while the generation is in use.
    const inUse = Atomics.load(this.#words, Layout.IN_USE)
    used.add(inUse === Layout.NONE_YET ? this.#first : inUse)
    this.#forEachSlot(Layout.PINNED_GENERATION, (slot) => used.add(Atomics.load(this.#words, slot + 1)))
  }

  /** Whether it has layers, or may take some that are in its port. */
  get mayRead(): boolean {
    return this.#first > 0 && Atomics.load(this.#words, Layout.IN_USE) !== Layout.NONE_ANY_MORE
  }

  /** Note the sequences that its snapshots read at. */
  addSequences(sequences: SequenceNumber[]): void {
    this.#forEachSlot(Layout.PINNED_SEQUENCE, (slot) => {
      const low = Atomics.load(this.#words, slot + 1) >>> 0
      sequences.push((Atomics.load(this.#words, slot + 2) * 2 ** 32 + low) as SequenceNumber)
    })
  }

  #forEachSlot(kind: number, use: (slot: number) => void): void {
    const count = Atomics.load(this.#words, Layout.SLOTS)
    for (let i = 0; i < count; i++) {
      const slot = Layout.slotAt(i)
      if (Atomics.load(this.#words, slot) === kind) use(slot)
    }
  }

  #send(layers: SharedLayers, message: LayersMessage, bytes: number): void {
    this.port.post(message satisfies ToReader)
    this.#posted = layers
    if (this.#first === 0) this.#first = layers.generation
    this.#untaken.push({ generation: layers.generation, bytes })
  }
}

/** @param from the version that the reader has; undefined for none */
function layersMessage(
  from: Version | undefined,
  { generation, memtables, version }: SharedLayers,
  known: ReadonlySet<number>,
): LayersMessage {
  const fresh = memtables
    .filter(({ id }) => !known.has(id))
    .map(({ id, slot: { table, log, firstSequence } }) => ({
      id,
      token: table.share(),
      logNumber: log.number,
      firstSequence,
    }))
  const newFiles: LevelFile[] = []
  const deletedFiles: LevelNumber[] = []
  for (const [level, files] of from === version ? [] : version.levels.entries()) {
    const before = from?.levels[level] ?? []
    for (const file of missingIn(before, files)) newFiles.push({ level, file: ownFile(file) })
    for (const { number } of missingIn(files, before)) deletedFiles.push({ level, number })
  }
  const ids = memtables.map(({ id }) => id)
  return { type: 'layers', generation, isWhole: from === undefined, memtables: ids, fresh, newFiles, deletedFiles }
}

/** Files of `all` that are not in `some`. */
function missingIn(some: readonly FileMetadata[], all: readonly FileMetadata[]): FileMetadata[] {
  const numbers = new Set(some.map(({ number }) => number))
  return all.filter(({ number }) => !numbers.has(number))
}

/** Keys of their own: a clone of a part of a buffer is a clone of all of it. */
function ownFile(file: FileMetadata): FileMetadata {
  return { ...file, smallest: file.smallest.slice(), largest: file.largest.slice() }
}
