/**
 * Engine: the parts of an open database and the phases that change them. Every phase is synchronous, runs to its end, and
 * leaves the parts consistent; waiting happens between phases, in drivers.ts.
 *
 *   admit    make room for the next group: rotate to a fresh MemTable and log when the active one is full
 *   rotate   freeze the active MemTable; a new log and MemTable take over at once; the frozen one queues for its flush
 *   install  a flushed table enters the MANIFEST, then the version; only then its log and MemTable go
 *
 * Threads  one Engine belongs to one thread; workers see frozen MemTables and their own output, nothing else
 */
import { assert } from '../base/assert.ts'
import { closeAll, closeQuietly } from '../base/close-all.ts'
import { bytewiseComparator } from '../base/comparator.ts'
import { CopyPool } from '../base/copy-pool.ts'
import type { Environment } from '../base/environment.ts'
import type { FileNumber, SequenceNumber } from '../base/types.ts'
import { BlockCache } from '../cache/block-cache.ts'
import { TableCache } from '../cache/table-cache.ts'
import type { FlushResult, TableFormat } from '../jobs/flush-job.ts'
import type { MemTable } from '../memtable/memtable.ts'
import type { Version } from '../version/version.ts'
import type { VersionSet } from '../version/version-set.ts'
import type { JobExecutor } from '../worker/executor.ts'
import { InlineExecutor } from '../worker/inline-executor.ts'
import { WorkerExecutor } from '../worker/worker-executor.ts'
import { Background, type FlushHost } from './background.ts'
import { CommitQueue, type CommitTarget } from './commit-queue.ts'
import type { Emit } from './events.ts'
import { Health } from './health.ts'
import { newMemTable } from './new-memtable.ts'
import { removeObsoleteFiles } from './obsolete-files.ts'
import { TableOpener } from './open-table.ts'
import { type ResolvedOptions, tableFormat } from './options.ts'
import type { MemTableSlot, ReadState } from './read-state.ts'
import { type Recovered, Recovery, type RecoveryInfo } from './recovery.ts'
import { SnapshotList } from './snapshot.ts'
import { StallClock } from './stall-clock.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

export class Engine implements CommitTarget, FlushHost {
  readonly directory: string
  readonly options: ResolvedOptions
  readonly environment: Environment
  readonly format: TableFormat
  readonly emit: Emit
  readonly log: WriteAheadLog
  readonly health: Health
  readonly queue: CommitQueue
  readonly background: Background
  readonly tables: TableCache
  readonly blocks: BlockCache
  readonly opener: TableOpener
  /** Memory of the values that leave the engine. */
  readonly copies: CopyPool
  readonly snapshots: SnapshotList = new SnapshotList()
  readonly stall: StallClock
  readonly recoveryInfo: RecoveryInfo

  lastSequence: SequenceNumber
  #readState: ReadState
  readonly #versions: VersionSet
  #flushes = 0
  #flushedBytes = 0
  #rotationWanted = false
  #isReleased = false
  #cancelLogTimer: (() => void) | undefined = undefined

  /**
   * Recover the database in `directory`, which is locked (or opened read-only).
   * @throws CorruptionError, IOError, InvalidArgumentError
   */
  constructor(directory: string, options: ResolvedOptions, emit: Emit) {
    const { environment } = options
    this.directory = directory
    this.options = options
    this.environment = environment
    this.format = tableFormat(options, 0)
    this.emit = emit
    this.health = new Health((error) => emit('error', { error }))
    this.stall = new StallClock(environment.clock, emit)
    this.log = new WriteAheadLog(environment.files, directory, options.walMarkers)
    this.copies = new CopyPool((slab) => environment.keepFromTransfer(slab))
    this.blocks = new BlockCache(options.blockCacheBytes)
    this.opener = new TableOpener(directory, options, this.blocks, emit)
    this.tables = new TableCache((number, bytes) => this.opener.open(number, bytes), options.maxOpenFiles, this.blocks)
    this.queue = new CommitQueue(this)
    this.background = new Background(this, makeExecutor(options))
    const recovered = this.#recover()
    this.recoveryInfo = recovered.info
    this.lastSequence = recovered.lastSequence
    this.#versions = recovered.versions
    const { logNumber, versions } = recovered
    const slot = (table: MemTable): MemTableSlot => ({ table, logNumber, firstSequence: this.#nextSequence() })
    const immutables = recovered.memtables.map(slot)
    this.#readState = { active: slot(recovered.active), immutables, version: versions.current }
    if (!options.readOnly) this.#removeObsolete()
  }

  /** The layers that a read beginning now goes through. */
  get readState(): ReadState {
    return this.#readState
  }

  /** The MemTable that takes writes. */
  get memtable(): MemTable {
    return this.#readState.active.table
  }

  get versions(): VersionSet {
    return this.#versions
  }

  get flushes(): { readonly count: number; readonly bytes: number } {
    return { count: this.#flushes, bytes: this.#flushedBytes }
  }

  // Writing.

  /**
   * Make room for the group that comes next.
   * @returns whether there is room; if not, as many MemTables as are allowed wait for their flush
   */
  admit(): boolean {
    const needed = this.queue.next?.arenaBytes ?? 0
    const { table } = this.#readState.active
    if (!this.#rotationWanted && table.memoryUsage < this.options.writeBufferBytes && table.hasRoom(needed)) return true
    return this.rotate(needed)
  }

  /**
   * Freeze the active MemTable if it holds anything, and begin a new one with room for `needed` arena bytes.
   * @returns false if no further MemTable may be frozen now
   * @throws RangeError if there is no memory for it; nothing has changed then
   */
  rotate(needed: number): boolean {
    assert(this.queue.begun === undefined, 'no group is between its log and its MemTable')
    const { active, immutables, version } = this.#readState
    this.#rotationWanted = false
    if (active.table.entryCount === 0) {
      this.#readState = { active: { ...active, table: newMemTable(this.options, needed) }, immutables, version }
      return true
    }
    this.background.poll()
    if (this.#readState.immutables.length >= this.options.maxImmutableMemTables) return false
    // First of all: without memory for it, nothing has changed.
    const table = newMemTable(this.options, needed)
    try {
      this.#switchMemTable(table)
    } catch (error) {
      this.health.poison(error as Error)
      return true
    }
    this.background.changed()
    this.background.schedule()
    return true
  }

  /** Have the next group go to a fresh MemTable. */
  wantRotation(): void {
    this.#rotationWanted = true
  }

  /** The log holds back bytes of `buffered` writes: see that it is not too much, nor for too long. */
  logBuffered(): void {
    if (this.log.bufferedBytes >= this.options.walBufferBytes) this.log.flush()
    else this.#cancelLogTimer ??= this.environment.later(this.options.walBufferMs, () => this.#logTimer(), true)
  }

  // Flushing (FlushHost).

  oldestImmutable(): MemTableSlot | undefined {
    return this.health.isPoisoned ? undefined : this.#readState.immutables.at(-1)
  }

  newFileNumber(): FileNumber {
    return this.#versions.newFileNumber()
  }

  installFlush(slot: MemTableSlot, { file }: FlushResult): void {
    const { active, immutables } = this.#readState
    assert(immutables.at(-1) === slot, 'MemTables are flushed oldest first')
    const remaining = immutables.slice(0, -1)
    const oldest = remaining.at(-1) ?? active
    try {
      const lastSequence = (oldest.firstSequence - 1) as SequenceNumber
      this.#versions.apply({ logNumber: oldest.logNumber, lastSequence, newFiles: [{ level: 0, file }] })
    } catch (error) {
      this.health.poison(error as Error)
      throw error
    }
    this.#readState = { active, immutables: remaining, version: this.#versions.current }
    this.#flushes++
    this.#flushedBytes += file.bytes
    this.#dropLogs(oldest.logNumber)
    this.#removeObsolete()
  }

  // Reading.

  /** Keep the tables of a version for as long as a reader needs them. */
  hold(version: Version): void {
    this.#versions.hold(version)
  }

  unhold(version: Version): void {
    this.#versions.unhold(version)
    if (version !== this.#versions.current && !this.options.readOnly && !this.health.isPoisoned) this.#removeObsolete()
  }

  // Closing.

  /** Whether everything has been let go of. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  /** Let go of everything. Every part is tried; the first error is thrown. */
  release(): void {
    this.#isReleased = true
    this.#cancelLogTimer?.()
    this.snapshots.closeAll()
    closeAll([
      () => this.background.close(),
      () => this.log.close(),
      () => this.#versions.close(),
      () => this.tables.close(),
    ])
  }

  /** An opening that fails leaves no file open. */
  #recover(): Recovered & { readonly active: MemTable } {
    const active = newMemTable(this.options, 0)
    try {
      const recovery = new Recovery(this.directory, this.options)
      const recovered = recovery.run((number, sequence) => this.log.rotate(number, sequence))
      // The log was there when the directory was synced for the sake of the new MANIFEST.
      this.log.namesAreDurable()
      return { ...recovered, active }
    } catch (error) {
      closeQuietly(() => this.log.close())
      throw error
    }
  }

  #switchMemTable(table: MemTable): void {
    const { active, immutables, version } = this.#readState
    const logNumber = this.#versions.newFileNumber()
    const firstSequence = this.#nextSequence()
    this.log.rotate(logNumber, firstSequence)
    active.table.freeze()
    this.#readState = { active: { table, logNumber, firstSequence }, immutables: [active, ...immutables], version }
  }

  #logTimer(): void {
    this.#cancelLogTimer = undefined
    if (this.health.isPoisoned) return
    try {
      this.log.flush()
    } catch (error) {
      this.health.poison(error as Error)
    }
  }

  /** Close logs whose content is in tables. They are complete and no longer needed, so an error is none of anyone's data. */
  #dropLogs(number: FileNumber): void {
    closeQuietly(() => this.log.dropBelow(number))
  }

  #removeObsolete(): void {
    const tables = this.#versions.liveTables()
    if (this.background.outputNumber !== undefined) tables.add(this.background.outputNumber)
    const logNumber = this.#versions.logNumber
    const manifest = this.#versions.manifestNumber
    removeObsoleteFiles(this.environment.files, this.directory, { tables, logNumber, manifest })
  }

  #nextSequence(): SequenceNumber {
    return (this.lastSequence + 1) as SequenceNumber
  }
}

function makeExecutor(options: ResolvedOptions): JobExecutor {
  const inline = new InlineExecutor(options.environment, options.comparator)
  const isInline = options.workers === 0 || options.comparator !== bytewiseComparator
  return isInline ? inline : new WorkerExecutor(options.environment, inline, options.workers)
}
