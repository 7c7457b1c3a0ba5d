/**
 * explain: how a lookup of a key goes, for people who ask where a value is from, why a read is slow, or why space is not given back. It
 * goes through the layers as reader.ts does, but does not end at the first one that knows the key, nor at a filter.
 *
 * Threads  as reader.ts: one synchronous step
 */
import type { Comparator } from '../../base/comparator.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagSequence, tagType } from '../../base/internal-key.ts'
import type { InternalIterator } from '../../base/iterator.ts'
import type { Bytes, SequenceNumber } from '../../base/types.ts'
import * as ValueType from '../../base/value-type.ts'
import { coversKey } from '../../version/file-metadata.ts'
import type { LevelFile } from '../../version/version-edit.ts'
import { READING } from '../calls.ts'
import type { ExplainedLayer, ExplainedVersion, Explanation } from './explanation.ts'
import type { ReadHost } from './read-host.ts'
import { isEmpty, type MemTableSlot } from './read-state.ts'

/** Of one layer, at most so many versions are listed. */
const EXPLAINED_VERSIONS_MAX = 100

/** What one layer tells: itself, and the version that a lookup finds there. */
interface Answer {
  readonly layer: Omit<ExplainedLayer, 'isAsked'>
  readonly found: ExplainedVersion | undefined
}

/** @throws CorruptionError, IOError */
export function explain(host: ReadHost, key: Bytes, sequence: SequenceNumber): Explanation {
  try {
    return host.calls.during(READING, () => explainLayers(host, key, sequence))
  } catch (error) {
    throw host.damage.found(error)
  }
}

function explainLayers(host: ReadHost, key: Bytes, sequence: SequenceNumber): Explanation {
  const { active, immutables, version } = host.readState
  const { comparator } = host.options
  const layers: ExplainedLayer[] = []
  let found: ExplainedVersion | undefined
  const add = (answer: Answer, mayBeAsked: boolean = true): void => {
    const isAsked = mayBeAsked && found === undefined
    layers.push({ ...answer.layer, isAsked })
    if (isAsked) found = answer.found
  }
  for (const slot of [active, ...immutables]) if (!isEmpty(slot)) add(inMemTable(slot, comparator, key, sequence))
  let otherTables = 0
  for (const [level, files] of version.levels.entries()) {
    const mayHold = files.filter((file) => coversKey(comparator, file, key, 0, key.length))
    otherTables += files.length - mayHold.length
    // Below level 0 only the first is asked. Old LevelDBs may leave the versions of a key on both sides of a boundary, the newest first.
    const inOrder = level === 0 ? mayHold.reverse() : mayHold
    for (const [i, file] of inOrder.entries())
      add(inTable(host, { level, file }, key, sequence), level === 0 || i === 0)
  }
  return { found, sequence, layers, otherTables }
}

function inMemTable(slot: MemTableSlot, comparator: Comparator, key: Bytes, sequence: SequenceNumber): Answer {
  const { table, log } = slot
  const versions = new Versions(sequence)
  versions.addAll(table.iterator(), comparator, key)
  const cover = table.rangeCover(sequence)
  cover?.seek(key, 0, key.length)
  if (cover !== undefined && cover.sequence > 0) versions.addRange(cover.sequence)
  // Read-only, the entries of several logs are in one MemTable.
  const number = log.number === 0 ? undefined : log.number
  return versions.answer({ level: undefined, number, block: undefined })
}

function inTable(host: ReadHost, { level, file }: LevelFile, key: Bytes, sequence: SequenceNumber): Answer {
  const { tables, options } = host
  const table = tables.acquire(file.number, file.bytes)
  try {
    // Before it is read, and with that perhaps cached.
    const block = table.place(key, 0, key.length, sequence)
    const versions = new Versions(sequence)
    versions.addAll(table.iterator(), options.comparator, key)
    const answer = versions.answer({ level, number: file.number, block })
    // A filter that is wrong keeps the version from being found.
    return block?.isRuledOut ? { ...answer, found: undefined } : answer
  } finally {
    tables.release(table)
  }
}

/** The versions of a key in one layer. */
class Versions {
  readonly #sequence: SequenceNumber
  readonly #newest: ExplainedVersion[] = []
  #count = 0
  #found: ExplainedVersion | undefined = undefined

  /** @param sequence what is read at */
  constructor(sequence: SequenceNumber) {
    this.#sequence = sequence
  }

  addAll(entries: InternalIterator, comparator: Comparator, key: Bytes): void {
    entries.seek(key, 0, key.length, MAX_TAG_LOW, MAX_TAG_HIGH)
    while (entries.valid) {
      const { keyBuf, keyOff, keyLen, tagLow, tagHigh, valLen } = entries
      if (comparator.compare(keyBuf, keyOff, keyLen, key, 0, key.length) !== 0) break
      const type = tagType(tagLow) === ValueType.VALUE ? 'value' : 'tombstone'
      this.#add({ sequence: tagSequence(tagLow, tagHigh), type, valueBytes: valLen })
      entries.next()
    }
  }

  /** The newest visible range tombstone over the key. It may be older than versions that were added before. */
  addRange(sequence: SequenceNumber): void {
    const version = { sequence, type: 'range-tombstone', valueBytes: 0 } as const
    this.#newest.push(version)
    this.#newest.sort((a, b) => b.sequence - a.sequence)
    this.#count++
    if (this.#found === undefined || this.#found.sequence < sequence) this.#found = version
  }

  answer(place: Pick<ExplainedLayer, 'level' | 'number' | 'block'>): Answer {
    const versions = this.#newest.slice(0, EXPLAINED_VERSIONS_MAX)
    return { layer: { ...place, versions, versionCount: this.#count }, found: this.#found }
  }

  #add(version: ExplainedVersion): void {
    if (version.sequence <= this.#sequence) this.#found ??= version
    if (this.#newest.length < EXPLAINED_VERSIONS_MAX) this.#newest.push(version)
    this.#count++
  }
}
