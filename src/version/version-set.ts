/**
 * VersionSet: the current Version and the counters that the MANIFEST keeps, and the one way to change them.
 *
 * Invariants  (1) a version becomes current only after its edit is durable in the MANIFEST
 *             (2) the MANIFEST's lastSequence stays below the first sequence of every live log; goleveldb drops batches
 *                 otherwise. It is the last sequence that is in tables, not the last one issued
 *             (3) after a failed append the set takes no more edits: a new manifest, at the next opening, is the way out
 *             (4) a version that a reader holds stays in `held`; its tables are not removed
 *             (5) an edit is in the manifest that CURRENT names, or in one that CURRENT comes to name with it; nothing is appended to a
 *                 manifest once CURRENT may name another
 * Length      A manifest that has become long is replaced, by the edit that comes then (docs/rfcs/0026): it begins a new one, with the
 *             whole version before it, and is durable when CURRENT names that. Until then, the old one is what counts.
 * Threads     belongs to the database's thread
 * Source      google/leveldb db/version_set.cc
 */

import { assert } from '../base/assert.ts'
import { closeAll, closeQuietly } from '../base/close-all.ts'
import type { Comparator } from '../base/comparator.ts'
import type { FileSystem } from '../base/environment.ts'
import { CorruptionError, InvalidArgumentError } from '../base/errors.ts'
import { manifestName } from '../base/filename.ts'
import { type FileNumber, fileNumber, MIN_NUMBERS_LEFT, type SequenceNumber, sequenceNumber } from '../base/types.ts'
import { FileNumbers } from './file-numbers.ts'
import { ManifestWriter, readManifest, setCurrent } from './manifest.ts'
import { Version } from './version.ts'
import { VersionBuilder } from './version-builder.ts'
import type { LevelKey, VersionEdit } from './version-edit.ts'

/** A manifest is as long as it may be when it has so many times the bytes that it began with. */
const LENGTH_FACTOR = 4

/** What a manifest says, before anything is written. */
export interface RecoveredVersion {
  readonly version: Version
  readonly logNumber: FileNumber
  readonly previousLog: FileNumber
  readonly nextFile: FileNumber
  readonly lastSequence: SequenceNumber
  readonly compactPointers: readonly LevelKey[]
  readonly manifestNumber: FileNumber
  readonly manifestBytes: number
  /** Offset of a record that was cut off at the end, if any. */
  readonly tornAt: number | undefined
}

/**
 * Read and check a manifest.
 * @throws CorruptionError if it is damaged, incomplete or describes no possible database; InvalidArgumentError if the
 *   database was made with another comparator
 */
export function recoverVersion(
  files: FileSystem,
  directory: string,
  number: FileNumber,
  comparator: Comparator,
): RecoveredVersion {
  const path = files.join(directory, manifestName(number))
  const { edits, bytes, tornAt } = readManifest(files, path)
  const builder = new VersionBuilder(comparator, Version.empty(comparator))
  /** Of each counter, what the last edit says that has it. */
  const counters: VersionEdit = {}
  const pointers = new Map<number, LevelKey>()
  for (const edit of edits) {
    checkComparator(edit, comparator)
    Object.assign(counters, edit)
    for (const pointer of edit.compactPointers) pointers.set(pointer.level, pointer)
    builder.apply(edit)
  }
  const { logNumber, previousLog = fileNumber(0), nextFile, lastSequence } = counters
  if (logNumber === undefined || nextFile === undefined || lastSequence === undefined) {
    throw new CorruptionError('manifest lacks its log number, next file number or last sequence', {
      file: path,
      offset: tornAt ?? 0,
    })
  }
  if (nextFile > Number.MAX_SAFE_INTEGER - MIN_NUMBERS_LEFT) {
    throw new CorruptionError(`manifest leaves no file numbers: the next one is ${nextFile}`, { file: path })
  }
  const version = builder.build()
  if (typeof version === 'string') throw new CorruptionError(version, { file: path })
  return {
    version,
    logNumber,
    previousLog,
    nextFile,
    lastSequence,
    compactPointers: byLevel(pointers.values()),
    manifestNumber: number,
    manifestBytes: bytes,
    tornAt,
  }
}

/** Whether the log of this number, if it is there, may hold writes that are in no table: an opening replays it. No name has the number 0. */
export function needsLog({ logNumber, previousLog }: RecoveredVersion, number: FileNumber): boolean {
  return number >= logNumber || number === previousLog
}

function byLevel(pointers: Iterable<LevelKey>): LevelKey[] {
  return [...pointers].sort((a, b) => a.level - b.level)
}

function checkComparator(edit: VersionEdit, comparator: Comparator): void {
  if (edit.comparator === undefined || edit.comparator === comparator.name) return
  throw new InvalidArgumentError(
    `the database's keys are ordered by ${edit.comparator}, not by ${comparator.name}: open it with its own comparator`,
  )
}

/**
 * A step by which the edit that has begun becomes durable; it may be taken where jobs run. `sync`: of the manifest that is in use. For a
 * new manifest there are two: `prepare` syncs it, and prepares CURRENT; `switch` has CURRENT name it.
 */
export interface EditSync {
  readonly step: 'sync' | 'prepare' | 'switch'
  /** Of the manifest, with its directory and number. */
  readonly path: string
  readonly directory: string
  readonly number: FileNumber
}

export class VersionSet {
  /** Names files; jobs take numbers from it too. The MANIFEST's next number is above all that were given before it. */
  readonly numbers: FileNumbers
  readonly #files: FileSystem
  readonly #directory: string
  readonly #comparator: Comparator
  readonly #manifestBytesMin: number
  readonly #held = new Map<Version, number>()
  /** What the directory held; its manifest is the current one until the first edit, for a read-only opening for ever. */
  readonly #found: RecoveredVersion | undefined
  #manifest: ManifestWriter | undefined = undefined
  /** Begun by the edit that has begun, to take the other's place. */
  #successor: ManifestWriter | undefined = undefined
  /** The next step of the edit that has begun. From 'switch' on, CURRENT may name the successor. */
  #step: EditSync['step'] = 'sync'
  /** The next edit that finds the manifest longer begins a new one. */
  #manifestBytesMax = 0
  #current: Version
  #logNumber: FileNumber
  #lastSequence: SequenceNumber
  #compactPointers: readonly LevelKey[]
  /** The edit that has begun, and is not committed: it is under way, or has failed. */
  #begun: { readonly version: Version; readonly edit: VersionEdit } | undefined = undefined

  /** @param manifestBytesMin no manifest is replaced before it is longer than this */
  constructor(
    files: FileSystem,
    directory: string,
    comparator: Comparator,
    recovered: RecoveredVersion | undefined,
    manifestBytesMin: number,
  ) {
    this.#manifestBytesMin = manifestBytesMin
    this.numbers = FileNumbers.startingAt(recovered?.nextFile ?? 1)
    this.#files = files
    this.#directory = directory
    this.#comparator = comparator
    this.#found = recovered
    this.#current = recovered?.version ?? Version.empty(comparator)
    this.#logNumber = recovered?.logNumber ?? fileNumber(0)
    this.#lastSequence = recovered?.lastSequence ?? sequenceNumber(0)
    this.#compactPointers = recovered?.compactPointers ?? []
  }

  get current(): Version {
    return this.#current
  }

  /** Logs below this number hold nothing that is not in tables. */
  get logNumber(): FileNumber {
    return this.#logNumber
  }

  /** The last sequence that is in tables. */
  get lastSequence(): SequenceNumber {
    return this.#lastSequence
  }

  /** Of each level that was compacted, where its next compaction begins: after this key. */
  get compactPointers(): readonly LevelKey[] {
    return this.#compactPointers
  }

  get manifestNumber(): FileNumber {
    return this.#manifest?.number ?? this.#found?.manifestNumber ?? fileNumber(0)
  }

  get manifestBytes(): number {
    return this.#manifest?.bytes ?? this.#found?.manifestBytes ?? 0
  }

  /** A number that no file has had. */
  newFileNumber(): FileNumber {
    return this.numbers.take()
  }

  /** Start a new manifest with the whole current version and then `edit`, switch to it, and apply the edit. */
  startManifest(edit: VersionEdit): void {
    assert(this.#manifest === undefined, 'the manifest is started once')
    const next = this.#next(edit)
    const number = this.newFileNumber()
    this.#use(ManifestWriter.create(this.#files, this.#directory, number, this.#whole(edit)))
    this.#install(next, edit)
  }

  /**
   * Append an edit to the manifest, or begin a new one with it. It is to be made durable, and then to be committed, before the next
   * one begins.
   * @throws IOError; the set is read-only from then on, and nothing may be removed
   */
  begin(edit: VersionEdit): void {
    const manifest = this.#manifest
    assert(manifest !== undefined && this.takesEdits, 'the manifest takes edits')
    this.#begun = { version: this.#next(edit), edit }
    if (manifest.bytes > this.#manifestBytesMax) this.#successor = this.#beginSuccessor(edit)
    this.#step = this.#successor === undefined ? 'sync' : 'prepare'
    if (this.#step === 'sync') manifest.append(this.#complete(edit))
  }

  /** Whether the next edit can begin. */
  get takesEdits(): boolean {
    return this.#manifest !== undefined && this.#begun === undefined
  }

  /** The next step by which the edit that has begun becomes durable. */
  get editSync(): EditSync {
    const number = this.#successor?.number ?? this.manifestNumber
    return { step: this.#step, path: this.#pathOf(number), directory: this.#directory, number }
  }

  /** That step has been taken. @returns whether another one follows */
  stepTaken(): boolean {
    if (this.#step !== 'prepare') return false
    this.#step = 'switch'
    return true
  }

  /**
   * Before the switch: append the edit that has begun to the manifest in use after all. The new one is removed, first: room may be
   * what is short.
   * @throws IOError, as begin
   */
  withdraw(): void {
    assert(this.#step === 'prepare', 'CURRENT does not name the new manifest')
    const { path } = this.editSync
    const successor = this.#successor as ManifestWriter
    this.#successor = undefined
    this.#step = 'sync'
    this.#manifestBytesMax *= 2
    closeQuietly(() => successor.close())
    closeQuietly(() => this.#files.remove(path))
    this.#manifest?.append(this.#complete(this.#begun?.edit ?? {}))
  }

  /** Take all steps here, of which each may have been taken already, or be under way still. @throws IOError, as begin */
  sync(): void {
    const successor = this.#successor
    const manifest = successor ?? this.#manifest
    manifest?.sync()
    if (successor !== undefined) setCurrent(this.#files, this.#directory, successor.number, this.newFileNumber())
  }

  /** The edit that has begun is durable: now it holds. @returns the number of a manifest that nobody needs now, if there is one */
  commit(): FileNumber | undefined {
    const begun = this.#begun
    assert(begun !== undefined, 'an edit is committed after it has begun')
    this.#begun = undefined
    this.#install(begun.version, begun.edit)
    const successor = this.#successor
    if (successor === undefined) return undefined
    const replaced = this.#manifest as ManifestWriter
    this.#successor = undefined
    this.#use(successor)
    // Its content is in the new one.
    closeQuietly(() => replaced.close())
    return replaced.number
  }

  /** The records of a manifest that says what this one says now, for a copy of the database. */
  copyOfManifest(): VersionEdit[] {
    return this.#whole({})
  }

  /** Keep a version's tables from being removed. */
  hold(version: Version): void {
    this.#held.set(version, (this.#held.get(version) ?? 0) + 1)
  }

  /** @returns whether nobody needs it any more: not while it is current, however many scans come and go */
  unhold(version: Version): boolean {
    const count = this.#held.get(version) ?? 0
    assert(count > 0, 'a version is let go as often as it is held')
    if (count === 1) this.#held.delete(version)
    else this.#held.set(version, count - 1)
    return count === 1 && version !== this.#current
  }

  /** Whether anybody holds a version. */
  get isHeld(): boolean {
    return this.#held.size > 0
  }

  /** Whether anybody holds this one. */
  holds(version: Version): boolean {
    return this.#held.has(version)
  }

  /** Versions before the current one that somebody holds. */
  heldBefore(): Version[] {
    return [...this.#held.keys()].filter((version) => version !== this.#current)
  }

  /** Numbers of all tables that the current version or a reader needs. */
  liveTables(): Set<FileNumber> {
    const live = new Set<FileNumber>()
    for (const version of [this.#current, ...this.#held.keys()]) {
      for (const { file } of version.files()) live.add(file.number)
    }
    return live
  }

  close(): void {
    closeAll([() => this.#manifest?.close(), () => this.#successor?.close()])
  }

  /** A manifest that says all that the edit leads to; undefined if that fails: then the one in use grows on, to twice its length. */
  #beginSuccessor(edit: VersionEdit): ManifestWriter | undefined {
    // Before the record is made that says which numbers are given.
    const number = this.newFileNumber()
    try {
      return ManifestWriter.begin(this.#files, this.#directory, number, this.#whole(edit))
    } catch {
      this.#manifestBytesMax *= 2
      return undefined
    }
  }

  #pathOf(manifest: FileNumber): string {
    return this.#files.join(this.#directory, manifestName(manifest))
  }

  #use(manifest: ManifestWriter): void {
    this.#manifest = manifest
    this.#manifestBytesMax = Math.max(this.#manifestBytesMin, LENGTH_FACTOR * manifest.bytes)
  }

  #next(edit: VersionEdit): Version {
    const next = new VersionBuilder(this.#comparator, this.#current).apply(edit).build()
    assert(typeof next !== 'string', 'an edit of our own makes a possible version')
    return next
  }

  /** The edit with the counters that every record carries. */
  #complete(edit: VersionEdit): VersionEdit {
    return {
      ...edit,
      logNumber: edit.logNumber ?? this.#logNumber,
      previousLog: fileNumber(0),
      nextFile: this.numbers.next,
      lastSequence: edit.lastSequence ?? this.#lastSequence,
    }
  }

  /** The records of a manifest with the current version and then `edit`. */
  #whole(edit: VersionEdit): VersionEdit[] {
    return [this.#snapshot(), this.#complete(edit)]
  }

  #snapshot(): VersionEdit {
    return {
      comparator: this.#comparator.name,
      compactPointers: this.#compactPointers,
      newFiles: [...this.#current.files()],
    }
  }

  #install(version: Version, edit: VersionEdit): void {
    this.#current = version
    this.#logNumber = edit.logNumber ?? this.#logNumber
    this.#lastSequence = edit.lastSequence ?? this.#lastSequence
    this.#movePointers(edit.compactPointers ?? [])
  }

  #movePointers(moved: readonly LevelKey[]): void {
    const kept = this.#compactPointers.filter(({ level }) => moved.every((pointer) => pointer.level !== level))
    this.#compactPointers = byLevel([...kept, ...moved])
  }
}
