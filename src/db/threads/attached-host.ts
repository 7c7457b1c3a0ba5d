/**
 * AttachedHost: what reads need of a database that another thread owns: its layers, followed live; tables and blocks in caches
 * of this thread; and pins for what scans and snapshots go on using.
 *
 * Threads  belongs to the reading thread
 */
import { closeQuietly } from '../../base/close-all.ts'
import { CopyPool } from '../../base/copy-pool.ts'
import type { Environment, Port } from '../../base/environment.ts'
import type { FileNumber, SequenceNumber } from '../../base/types.ts'
import { BlockCache } from '../../cache/block-cache.ts'
import { TableCache } from '../../cache/table-cache.ts'
import type { Table } from '../../table/table.ts'
import type { Version } from '../../version/version.ts'
import { closed } from '../call-options.ts'
import { Calls, CHANGING, type Doing } from '../calls.ts'
import { DatabaseDirectory } from '../opening/database-directory.ts'
import type { ResolvedOptions } from '../options.ts'
import { TableOpener } from '../read/open-table.ts'
import type { ReadHost } from '../read/read-host.ts'
import type { ReadState } from '../read/read-state.ts'
import { DamageReports } from '../reports/damage-reports.ts'
import type { Emit } from '../reports/events.ts'
import { type Snapshot, SnapshotList } from '../snapshot.ts'
import type { AttachedLayers } from './attached-layers.ts'
import { ReaderPins } from './reader-pins.ts'
import type { ShareHandle } from './share-handle.ts'
import type { LayersMessage, ToOwner } from './share-messages.ts'

/** The options of `attach`, complete. */
export type AttachedOptions = Pick<
  ResolvedOptions,
  'environment' | 'comparator' | 'blockCacheBytes' | 'tableCacheBytes' | 'maxOpenFiles' | 'stallTimeoutMs'
>

interface Hold {
  readonly slot: number
  count: number
}

export class AttachedHost implements ReadHost {
  readonly environment: Environment
  readonly options: AttachedOptions
  readonly snapshots: PinnedSnapshots
  readonly tables: TableCache
  readonly copies: CopyPool
  /** Only the owner compacts. */
  readonly hints: undefined = undefined
  readonly calls: Calls = new Calls()
  readonly damage: DamageReports
  readonly #layers: AttachedLayers
  readonly #port: Port
  readonly #blocks: BlockCache
  readonly #opener: TableOpener
  readonly #pins: ReaderPins
  readonly #held = new Map<Version, Hold>()
  readonly #onTorn: () => void

  /** @param onTorn called when a message may have been lost */
  constructor(
    handle: ShareHandle,
    port: Port,
    layers: AttachedLayers,
    options: AttachedOptions,
    emit: Emit,
    onTorn: () => void,
  ) {
    const { environment, comparator } = options
    const { directory, bloomBitsPerKey } = handle
    this.environment = environment
    this.options = options
    this.damage = new DamageReports(environment, emit)
    this.#layers = layers
    this.#port = port
    this.#onTorn = onTorn
    this.#pins = new ReaderPins(new Int32Array(handle.reader))
    this.snapshots = new PinnedSnapshots(layers, this.#pins, () => this.#released())
    this.copies = new CopyPool((slab) => environment.keepFromTransfer(slab))
    this.#blocks = new BlockCache(options.blockCacheBytes, options.comparator)
    this.#opener = new TableOpener(
      new DatabaseDirectory(environment.files, directory),
      { comparator, bloomBitsPerKey, environment, readOnly: false },
      this.#blocks,
      emit,
    )
    const open = (number: FileNumber, bytes: number): Table => this.#open(number, bytes)
    this.tables = new TableCache(open, options.maxOpenFiles, options.tableCacheBytes)
  }

  get lastSequence(): SequenceNumber {
    return this.#layers.lastSequence
  }

  get readState(): ReadState {
    return this.#layers.state
  }

  /** Go on with other layers, and let go of the tables that are only in the old ones. */
  take(message: LayersMessage): void {
    const replaced = this.#layers.take(message)
    if (replaced === undefined) return
    this.#forget(replaced)
    if (message.isWhole || message.deletedFiles.length > 0) this.#released()
  }

  hold(version: Version): void {
    const held = this.#held.get(version)
    if (held !== undefined) held.count++
    else this.#held.set(version, { slot: this.#pins.pinGeneration(this.#layers.generation), count: 1 })
  }

  unhold(version: Version): void {
    const held = this.#held.get(version)
    if (held === undefined || --held.count > 0) return
    this.#held.delete(version)
    this.#pins.release(held.slot)
    if (version === this.readState.version) return
    this.#forget(version)
    this.#released()
  }

  startAfresh(doing: Doing, endScans: () => void): void {
    closeQuietly(
      endScans,
      () => this.#blocks.clear(),
      () => this.tables.clear(),
    )
    if (doing === CHANGING) this.#onTorn()
  }

  /** Close all tables. Scans have ended. */
  close(): void {
    this.snapshots.closeAll()
    this.#layers.close()
    this.#blocks.clear()
    this.tables.close()
  }

  /** Close the tables of a version that the layers at hand do not have; those that scans still use, when they end. */
  #forget(version: Version): void {
    const live = new Set<FileNumber>()
    for (const { file } of this.readState.version.files()) live.add(file.number)
    for (const { file } of version.files()) {
      if (!live.has(file.number)) this.tables.evict(file.number)
    }
  }

  /** Once the database is closed, its files may be another opener's: what was opened before that is known to be right. */
  #open(number: FileNumber, bytes: number): Table {
    let table: Table
    try {
      table = this.#opener.open(number, bytes)
    } catch (error) {
      this.#layers.check()
      throw error
    }
    if (!this.#layers.isClosed) return table
    table.close()
    throw closed()
  }

  #released(): void {
    this.#port.post({ type: 'released' } satisfies ToOwner)
  }
}

/** Snapshots of a database that another thread owns. */
class PinnedSnapshots extends SnapshotList {
  readonly #layers: AttachedLayers
  readonly #pins: ReaderPins
  readonly #released: () => void
  readonly #slots = new Map<Snapshot, number>()

  constructor(layers: AttachedLayers, pins: ReaderPins, released: () => void) {
    super()
    this.#layers = layers
    this.#pins = pins
    this.#released = released
  }

  /** @throws ClosedError; NotSupportedError if there are too many */
  take(): Snapshot {
    for (;;) {
      const sequence = this.#layers.lastSequence
      const slot = this.#pins.pinSequence(sequence)
      // A job that was planned without it read nothing newer than the layers at hand, if these are still the newest.
      if (this.#layers.isCurrent) {
        const snapshot = this.create(sequence)
        this.#slots.set(snapshot, slot)
        return snapshot
      }
      this.#pins.release(slot)
    }
  }

  override remove(snapshot: Snapshot): void {
    const slot = this.#slots.get(snapshot)
    super.remove(snapshot)
    if (slot === undefined) return
    this.#slots.delete(snapshot)
    this.#pins.release(slot)
    this.#released()
  }
}
