/**
 * Engine: the parts of an open database, the layers that a read goes through, and what changes them. Every change is synchronous,
 * runs to its end, and leaves the parts consistent; waiting happens in between, in commit-driver.ts and drivers.ts.
 *
 *   rotate   a fresh MemTable takes over (rotation.ts)
 *   install  a flushed table, or what a compaction wrote, enters the MANIFEST, then the version. Only then are the log and the
 *            MemTable let go of, or the compaction's inputs
 *   sweep    files that nobody needs are removed
 *
 * Threads  one Engine belongs to one thread; workers see frozen MemTables and their own output, nothing else
 */
import { assert } from '../base/assert.ts'
import { closeAll, closeQuietly } from '../base/close-all.ts'
import { CopyPool } from '../base/copy-pool.ts'
import type { DirectoryLock, Environment } from '../base/environment.ts'
import { AbortedError } from '../base/errors.ts'
import { type FileNumber, fileNumber, type SequenceNumber } from '../base/types.ts'
import { BlockCache } from '../cache/block-cache.ts'
import { TableCache } from '../cache/table-cache.ts'
import type { CompactionJob } from '../jobs/compaction-job.ts'
import type { FlushResult } from '../jobs/flush-job.ts'
import type { MemTable } from '../memtable/memtable.ts'
import { type Compaction, inputsOf } from '../version/compaction.ts'
import type { PickerOptions } from '../version/compaction-plan.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import type { Version } from '../version/version.ts'
import type { VersionEdit } from '../version/version-edit.ts'
import type { VersionSet } from '../version/version-set.ts'
import { DirectorySyncs } from '../worker/directory-syncs.ts'
import { Background } from './background/background.ts'
import type { CompactionHost } from './background/compaction-lane.ts'
import { compactionEdit, compactionJob, nextCompaction, pickerOptions } from './background/compaction-plans.ts'
import type { FlushHost } from './background/flush-lane.ts'
import type { FlushPlan } from './background/flush-plan.ts'
import { type Done, Installer } from './background/installer.ts'
import { newExecutor } from './background/new-executor.ts'
import { ObsoleteFiles } from './background/obsolete-files.ts'
import { ReadHints } from './background/read-hints.ts'
import { Rest } from './background/rest.ts'
import { RetiredMemTables } from './background/retired-memtables.ts'
import { TableSamples } from './background/table-samples.ts'
import { Calls, CHANGING, type Doing } from './calls.ts'
import { DatabaseDirectory } from './opening/database-directory.ts'
import { recoverInto } from './opening/recovery.ts'
import type { RecoveryInfo } from './opening/recovery-info.ts'
import { type ResolvedOptions, tableFormat } from './options.ts'
import { TableOpener } from './read/open-table.ts'
import type { ReadHost } from './read/read-host.ts'
import { type MemTableSlot, onVersion, type ReadState } from './read/read-state.ts'
import { DamageReports } from './reports/damage-reports.ts'
import type { Emit } from './reports/events.ts'
import { Health } from './reports/health.ts'
import { SnapshotList } from './snapshot.ts'
import { Sharing } from './threads/sharing.ts'
import { backPressure, loadOf, NO_PRESSURE, type Pressure } from './write/back-pressure.ts'
import { BufferTimer } from './write/buffer-timer.ts'
import { CommitQueue, type CommitTarget } from './write/commit-queue.ts'
import { recycleLayers } from './write/new-memtable.ts'
import { Pace } from './write/pace.ts'
import { Rotation } from './write/rotation.ts'
import { StallClock } from './write/stall-clock.ts'
import { WriteAheadLog } from './write/write-ahead-log.ts'

/** Why writing has ended. */
const CUT_OFF =
  'a call was cut off in its midst, by the timeout of a vm script, Ctrl-C in a REPL or a debugger; or called the database from there'

export class Engine implements CommitTarget, FlushHost, CompactionHost, ReadHost {
  readonly place: DatabaseDirectory
  readonly options: ResolvedOptions
  readonly environment: Environment
  readonly format: FlushHost['format']
  readonly pickerOptions: PickerOptions
  /** What this thread is in the midst of. */
  readonly calls: Calls = new Calls()
  readonly emit: Emit
  readonly damage: DamageReports
  readonly log: WriteAheadLog
  readonly health: Health
  readonly queue: CommitQueue
  readonly background: Background
  readonly tables: TableCache
  readonly blocks: BlockCache
  readonly opener: TableOpener
  /** Memory of the values that leave the engine. */
  readonly copies: CopyPool
  readonly snapshots: SnapshotList
  /** The threads that read along. */
  readonly sharing: Sharing
  /** Makes room for writes. */
  readonly rotation: Rotation
  readonly stall: StallClock
  /** What slowing down leaves to writes. */
  readonly pace: Pace
  /** What reads have noticed. */
  readonly hints: ReadHints
  /** What is done when nobody writes. */
  readonly rest: Rest
  /** Tables that no compaction may take: inputs of one, about to be dropped, or damaged. Whoever adds one takes it out. */
  readonly busy: Set<FileNumber> = new Set()
  readonly recoveryInfo: RecoveryInfo

  #lastSequence: SequenceNumber
  #readState: ReadState
  readonly versions: VersionSet
  readonly #bufferTimer: BufferTimer
  readonly #installer: Installer
  readonly #retired: RetiredMemTables
  readonly #obsolete: ObsoleteFiles
  /** Of tables that were found; undefined if opened read-only. */
  readonly #samples: TableSamples | undefined
  #pressure: Pressure = NO_PRESSURE
  #isTidyDue = false
  #isScheduleDue = false
  #isCutOff = false
  #isReleased = false

  /**
   * Recover the database in `directory`.
   * @param lock its lock; undefined if it is opened read-only
   * @throws CorruptionError, IOError, InvalidArgumentError
   */
  constructor(directory: string, options: ResolvedOptions, lock: DirectoryLock | undefined, emit: Emit) {
    const { environment, maxOpenFiles, tableCacheBytes } = options
    this.place = new DatabaseDirectory(environment.files, directory, lock, new DirectorySyncs(environment))
    this.options = options
    this.environment = environment
    this.format = tableFormat(options, 0)
    this.pickerOptions = pickerOptions(options)
    this.emit = (name, detail) => this.calls.afterwards(() => emit(name, detail))
    this.damage = new DamageReports(environment, this.emit)
    this.health = new Health((error) => this.emit('error', { error }))
    this.stall = new StallClock(environment.clock, this.emit)
    this.pace = new Pace(environment.clock)
    const schedule = (): void => this.#tidySoon(true)
    this.hints = new ReadHints(options.seekCompaction, schedule)
    this.rest = new Rest(this)
    this.sharing = new Sharing(this, schedule)
    this.snapshots = new SnapshotList(schedule, () => this.sharing.sequences())
    this.log = new WriteAheadLog(this.place, options.walMarkers, () => this.newFileNumber())
    this.#bufferTimer = new BufferTimer(this.log, options, this.health)
    this.copies = new CopyPool((slab) => environment.keepFromTransfer(slab))
    this.blocks = new BlockCache(options.blockCacheBytes, options.comparator)
    this.opener = new TableOpener(this.place, options, this.blocks, this.emit)
    this.tables = new TableCache((...table) => this.opener.open(...table), maxOpenFiles, tableCacheBytes)
    this.queue = new CommitQueue(this)
    this.rotation = new Rotation(this)
    const executor = newExecutor(options, this.emit, this.place.syncs)
    this.background = new Background(this, executor)
    this.#obsolete = new ObsoleteFiles(this.place, executor, this.emit, () => this.background.changed())
    const recovered = recoverInto(this.log, directory, options)
    this.recoveryInfo = recovered.info
    this.#lastSequence = recovered.lastSequence
    this.versions = recovered.versions
    this.#installer = new Installer(this.versions, this.place, executor, this.health, this.#obsolete.removeManifest)
    this.#retired = new RetiredMemTables(recovered.versions, executor)
    const { logNumber, memtables, versions } = recovered
    const log = { number: logNumber }
    const slot = (table: MemTable): MemTableSlot => ({ table, log, firstSequence: this.#nextSequence() })
    this.#readState = { active: slot(recovered.active), immutables: memtables.map(slot), version: versions.current }
    if (options.readOnly) return
    this.#sweep()
    this.#press()
    this.#samples = new TableSamples(this, executor, recovered.lastSequence, schedule)
    this.background.schedule()
  }

  /** The path of its directory. */
  get directory(): string {
    return this.place.path
  }

  /** Newest visible sequence. */
  get lastSequence(): SequenceNumber {
    return this.#lastSequence
  }

  set lastSequence(sequence: SequenceNumber) {
    this.#lastSequence = sequence
    this.sharing.publish(sequence)
  }

  /** The layers that a read beginning now goes through. */
  get readState(): ReadState {
    return this.#readState
  }

  /** The MemTable that takes writes. */
  get memtable(): MemTable {
    return this.#readState.active.table
  }

  /** What slows writes down, or stops them. */
  get pressure(): Pressure {
    return this.#pressure
  }

  /** Go on with other layers. Threads that read along are told; writes are slowed down as these layers ask for. */
  show(state: ReadState): void {
    this.#readState = state
    this.sharing.changed()
    this.#press()
  }

  // Writing (CommitTarget).

  logBuffered(): void {
    this.#bufferTimer.added()
  }

  // Flushing (FlushHost).

  oldestImmutable(): MemTableSlot | undefined {
    return this.isWritable ? this.#readState.immutables.at(-1) : undefined
  }

  newFileNumber(): FileNumber {
    return this.versions.newFileNumber()
  }

  installFlush(slot: MemTableSlot, { file }: FlushResult, { dropped: deletedFiles }: FlushPlan, done: Done): void {
    const newFiles = file === undefined ? [] : [{ level: 0, file }]
    const edit = (): VersionEdit => {
      const { active, immutables } = this.#readState
      assert(immutables.at(-1) === slot, 'MemTables are flushed oldest first')
      const { log, firstSequence } = immutables.at(-2) ?? active
      return { logNumber: log.number, lastSequence: (firstSequence - 1) as SequenceNumber, newFiles, deletedFiles }
    }
    const follow = (): void => {
      const { active, immutables } = this.#readState
      this.show({ active, immutables: immutables.slice(0, -1), version: this.versions.current })
      this.#dropLogs(this.versions.logNumber)
      this.#removeDropped(deletedFiles)
      this.#retired.add(slot.table)
    }
    this.#installer.install(edit, follow, done)
  }

  discard(tables: readonly FileMetadata[]): void {
    this.#removeDropped(tables)
  }

  // Compacting (CompactionHost).

  get isWritable(): boolean {
    return !this.options.readOnly && !this.health.isPoisoned
  }

  pickCompaction(): Compaction | undefined {
    return this.isWritable ? nextCompaction(this) : undefined
  }

  compactionJob(compaction: Compaction): CompactionJob {
    return compactionJob(this, compaction)
  }

  installCompaction(compaction: Compaction, outputs: readonly FileMetadata[], done: Done): void {
    const edit = (): VersionEdit => compactionEdit(this.#readState.version, compaction, outputs)
    const follow = (): void => {
      this.show(onVersion(this.#readState, this.versions.current))
      if (!compaction.isTrivialMove) this.#removeDropped(inputsOf(compaction))
    }
    this.#installer.install(edit, follow, done)
  }

  // Reading.

  /** Keep the tables of a version for as long as a reader needs them. */
  hold(version: Version): void {
    this.versions.hold(version)
  }

  unhold(version: Version): void {
    const isTidyDue = this.versions.unhold(version)
    const isScheduleDue = this.hints.takeNew()
    // To find what is not needed takes a look at every table there is.
    if (isTidyDue || isScheduleDue) this.#tidySoon(isScheduleDue)
  }

  // Closing.

  /** Whether a change was cut off in its midst, so that what is in memory may be torn. What is on disk is as after a crash. */
  get isCutOff(): boolean {
    return this.#isCutOff
  }

  startAfresh(doing: Doing, endScans: () => void): void {
    if (doing === CHANGING) this.#breakOff(new AbortedError(CUT_OFF))
    closeQuietly(
      endScans,
      () => this.blocks.clear(),
      () => this.tables.clear(),
    )
  }

  /** Whether everything has been let go of. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  /** Whether files that are no longer needed are being removed. */
  get isRemoving(): boolean {
    return this.#obsolete.isRemoving
  }

  /** Let go of everything. Every part is tried; the first error is thrown. */
  release(): void {
    this.#isReleased = true
    this.#bufferTimer.cancel()
    this.rest.close()
    this.#samples?.close()
    const isThrownAway = this.background.compactions.isRunning
    closeAll([
      // What the MANIFEST names already must be known here before anything is swept.
      () => this.#installer.finish(),
      () => this.sharing.close(),
      () => this.background.close(),
      () => this.snapshots.closeAll(),
      // A compaction that was done, and not heard of, has left its outputs.
      () => isThrownAway && this.isWritable && this.#sweep(),
      () => this.log.close(),
      () => this.versions.close(),
      () => this.blocks.clear(),
      () => this.tables.close(),
      () => !this.#isCutOff && !this.versions.isHeld && !this.sharing.isReadStill && this.#recycleAll(),
    ])
  }

  /** Write nothing more, install nothing more: nobody knows how far the change has got. Whoever waits is told. */
  #breakOff(error: Error): void {
    this.health.cause ??= error
    this.#isCutOff = true
    if (this.options.readOnly) return
    this.log.fail(error)
    this.#installer.abandon()
    this.background.abandon()
    this.queue.abandon(error)
    this.background.changed()
  }

  /**
   * A read has let go of something, or noticed something. It changes nothing itself, since it may be cut off: what follows is done once
   * this turn's synchronous code has run.
   * @param isSchedule whether there may be something to do in the background
   */
  #tidySoon(isSchedule: boolean): void {
    if (isSchedule) this.#isScheduleDue = true
    if (this.#isTidyDue) return
    this.calls.afterThisTurn(this.#tidyUp)
    this.#isTidyDue = true
  }

  readonly #tidyUp = (): void => {
    this.#isTidyDue = false
    this.calls.check()
    if (this.#isReleased || this.#isCutOff) return
    this.#removeDropped()
    this.#retired.recycle()
    if (!this.#isScheduleDue) return
    this.#isScheduleDue = false
    this.background.schedule()
  }

  #recycleAll(): void {
    recycleLayers(this.#readState, this.options)
    this.#retired.recycleAll()
  }

  /** Close logs whose content is in tables. Nobody needs them any more, so an error loses nothing. */
  #dropLogs(number: FileNumber): void {
    const dropped = this.log.list().filter((log) => log.number < number)
    closeQuietly(() => this.log.dropBelow(number))
    this.#obsolete.removeLogs(dropped.map((log) => fileNumber(log.number)))
  }

  /** The layers have changed: how much writes are to be slowed down, and what would be worth doing at rest. */
  #press(): void {
    this.#pressure = backPressure(loadOf(this.#readState, this.pickerOptions), this.options)
    this.pace.set(this.#pressure.bytesPerSecond)
    this.rest.changed()
  }

  #removeDropped(dropped: readonly { readonly number: FileNumber }[] = []): void {
    this.#obsolete.drop(dropped.map(({ number }) => number))
    if (!this.#obsolete.hasDropped || this.health.isPoisoned) return
    this.#obsolete.removeDropped(this.versions.liveTables(), (number) => {
      this.tables.evict(number)
      this.hints.forget(number)
    })
  }

  #sweep(): void {
    const { logNumber, manifestNumber: manifest } = this.versions
    this.#obsolete.sweep({ tables: this.versions.liveTables(), logNumber, manifest })
  }

  #nextSequence(): SequenceNumber {
    return (this.lastSequence + 1) as SequenceNumber
  }
}
