/**
 * Questions: what a reader asks a MemTable, and the answer that the model gives. Answers are plain text, so that one of a
 * torn state is no state's answer.
 */

import { NotSupportedError } from '../../src/base/errors.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagSequence, tagType } from '../../src/base/internal-key.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import { MAX_SEQUENCE } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableToken } from '../../src/memtable/memtable-options.ts'
import type { Program } from './program.ts'
import { keysAsked, type ModelVersion, type SmallHistory, type State } from './small-histories.ts'

/** A reader: an attached table, and what it was attached by. */
export interface Attached {
  readonly program: Program
  readonly token: MemTableToken
  readonly table: MemTable
}

export interface Question {
  readonly name: string
  /** How often to ask in one schedule: the second answer must not be older. */
  readonly rounds: number
  /** Whether to look first if the table is frozen. */
  readonly looksAtState: boolean
  ask(reader: Attached): string
  answer(state: State): string
}

/** All that a history gives reason to ask. */
export function questionsFor(history: SmallHistory): Question[] {
  if (history.representation === 'vector') return [wholeOnceFrozen(history)]
  const keys = keysAsked(history)
  const sequence = history.batches[0].length + 1
  const hasRanges = history.batches.flat().some((write) => write.startsWith('/'))
  return [
    ...keys.map((key) => getOf(key)),
    ...keys.filter((key) => !key.endsWith('!')).map((key) => oldGetOf(key, sequence)),
    ...keys.map((key) => seekOf(key)),
    ...keys.map((key) => seekForPrevOf(key)),
    ...keys.filter(() => hasRanges).map((key) => coverOf(key)),
    FORWARDS,
    BACKWARDS,
    NEWEST,
    RANGES,
    NUMBERS,
    COUNT,
    ESTIMATE,
    ATTACHED,
  ]
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function bytesOf(key: string): Uint8Array {
  return Buffer.from(key, 'latin1')
}

function versionText({ sequence, value }: ModelVersion): string {
  return `${sequence}${value === undefined ? '-' : `=${value}`}`
}

function getOf(key: string): Question {
  return {
    name: `get ${key}`,
    rounds: 2,
    looksAtState: true,
    ask: ({ table }) => foundText(table.get(bytesOf(key))),
    answer: (state) => answerOf(state, key, Number.MAX_SAFE_INTEGER),
  }
}

/** As of a sequence of the past. */
function oldGetOf(key: string, sequence: number): Question {
  return {
    name: `get ${key} at ${sequence}`,
    rounds: 1,
    looksAtState: false,
    ask: ({ table }) => foundText(table.get(bytesOf(key), sequence)),
    answer: (state) => answerOf(state, key, sequence),
  }
}

function foundText(found: ReturnType<MemTable['get']>): string {
  if (found === undefined) return 'nothing'
  return versionText({ sequence: found.sequence, value: found.type === 'value' ? latin1(found.value) : undefined })
}

function answerOf(state: State, key: string, atMost: number): string {
  const newest = newestOf(state, key, atMost)
  return newest === undefined ? 'nothing' : versionText(newest)
}

/** The newest version of a key, or the range tombstone over it if that is newer. */
function newestOf({ versions, ranges }: State, key: string, atMost: number): ModelVersion | undefined {
  const version = versions.get(key)?.find(({ sequence }) => sequence <= atMost)
  const range = ranges.find(({ start, end, sequence }) => start <= key && key < end && sequence <= atMost)
  if (range === undefined || (version !== undefined && version.sequence > range.sequence)) return version
  return { sequence: range.sequence, value: undefined }
}

/** The entry at an iterator, or where it ends. */
function entryText(at: InternalIterator): string {
  if (!at.valid) return 'end'
  const key = latin1(at.keyBuf.subarray(at.keyOff, at.keyOff + at.keyLen))
  const isValue = tagType(at.tagLow) === ValueType.VALUE
  const value = isValue ? latin1(at.valBuf.subarray(at.valOff, at.valOff + at.valLen)) : undefined
  return `${key}:${versionText({ sequence: tagSequence(at.tagLow, at.tagHigh), value })}`
}

/** Every version, as the iterator has them. */
function entryTexts({ versions }: State): string[] {
  return [...versions].flatMap(([key, all]) => all.map((version) => `${key}:${versionText(version)}`))
}

/** To a key, and from there one step on and three back. */
function seekOf(key: string): Question {
  return {
    name: `seek ${key}`,
    rounds: 1,
    looksAtState: false,
    ask({ table }) {
      const at = table.iterator()
      const bytes = bytesOf(key)
      at.seek(bytes, 0, bytes.length, MAX_TAG_LOW, MAX_TAG_HIGH)
      const texts = [entryText(at)]
      if (at.valid) at.next()
      texts.push(entryText(at))
      for (let i = 0; i < 3 && at.valid; i++) at.prev()
      return [...texts, entryText(at)].join(' ')
    },
    answer(state) {
      const all = entryTexts(state)
      const first = all.findIndex((text) => text.slice(0, text.indexOf(':')) >= key)
      if (first < 0) return 'end end end'
      if (first === all.length - 1) return `${all[first]} end end`
      return `${all[first]} ${all[first + 1]} ${all[first - 2] ?? 'end'}`
    },
  }
}

/** The newest range tombstone over a key. */
function coverOf(key: string): Question {
  return {
    name: `cover of ${key}`,
    rounds: 1,
    looksAtState: false,
    ask({ table }) {
      const cover = table.rangeCover(MAX_SEQUENCE)
      const bytes = bytesOf(key)
      cover?.seek(bytes, 0, bytes.length)
      return String(cover?.sequence ?? 0)
    },
    answer: ({ ranges }) => String(ranges.find(({ start, end }) => start <= key && key < end)?.sequence ?? 0),
  }
}

/** To the last key that is not after one; then the whole of it in a word. */
function seekForPrevOf(key: string): Question {
  return {
    name: `seek back from ${key}`,
    rounds: 1,
    looksAtState: false,
    ask({ table }) {
      const cursor = table.cursor()
      if (!cursor.seekForPrev(bytesOf(key))) return 'end'
      const text = `${latin1(cursor.key)}:${cursor.sequence}`
      return cursor.prev() ? `${text} ${latin1(cursor.key)}` : `${text} end`
    },
    answer(state) {
      const keys = [...state.versions.keys()].filter((other) => other <= key)
      const last = keys.pop()
      if (last === undefined) return 'end'
      return `${last}:${newestOf(state, last, Number.MAX_SAFE_INTEGER)!.sequence} ${keys.pop() ?? 'end'}`
    },
  }
}

const FORWARDS: Question = {
  name: 'every version, forwards',
  rounds: 1,
  looksAtState: true,
  ask({ table }) {
    const texts: string[] = []
    const at = table.iterator()
    for (at.seekToFirst(); at.valid; at.next()) texts.push(entryText(at))
    return texts.join(' ')
  },
  answer: (state) => entryTexts(state).join(' '),
}

const BACKWARDS: Question = {
  name: 'every version, backwards',
  rounds: 1,
  looksAtState: false,
  ask({ table }) {
    const texts: string[] = []
    const at = table.iterator()
    for (at.seekToLast(); at.valid; at.prev()) texts.push(entryText(at))
    return texts.join(' ')
  },
  answer: (state) => entryTexts(state).toReversed().join(' '),
}

const NEWEST: Question = {
  name: 'the newest of every key',
  rounds: 1,
  looksAtState: false,
  ask({ table }) {
    const texts: string[] = []
    for (const entry of table.entries()) {
      const value = entry.type === 'value' ? latin1(entry.value) : undefined
      texts.push(`${latin1(entry.key)}:${versionText({ sequence: entry.sequence, value })}`)
    }
    return texts.join(' ')
  },
  answer: (state) =>
    [...state.versions.keys()].map((key) => `${key}:${answerOf(state, key, Number.MAX_SAFE_INTEGER)}`).join(' '),
}

const RANGES: Question = {
  name: 'the range tombstones',
  rounds: 2,
  looksAtState: false,
  ask: ({ table }) =>
    Array.from(table.rangeTombstones(), (at) => `[${latin1(at.start)},${latin1(at.end)})${at.sequence}`).join(' '),
  answer({ ranges }) {
    const ends = [...new Set(ranges.flatMap(({ start, end }) => [start, end]))].sort()
    const stretches: { start: string; end: string; sequence: number }[] = []
    ends.forEach((start, i) => {
      const end = ends[i + 1]
      const over = ranges.find((range) => range.start <= start && start < range.end)
      const last = stretches.at(-1)
      if (over === undefined) return
      if (last?.end === start && last.sequence === over.sequence) last.end = end
      else stretches.push({ start, end, sequence: over.sequence })
    })
    return stretches.map(({ start, end, sequence }) => `[${start},${end})${sequence}`).join(' ')
  },
}

/** Of a table that is attached in the middle of everything. */
const ATTACHED: Question = {
  ...FORWARDS,
  name: 'every version, of a table attached now',
  looksAtState: false,
  ask: ({ program, token }) => FORWARDS.ask({ program, token, table: program.MemTable.attach(token) }),
}

/** Of a table that can be attached once it is frozen, with the last batch; two times. */
function wholeOnceFrozen({ batches }: SmallHistory): Question {
  const writes = batches.flat().length
  return {
    ...NEWEST,
    name: 'every version, of a table that may be frozen',
    rounds: 2,
    ask({ program, token }) {
      try {
        return NEWEST.ask({ program, token, table: program.MemTable.attach(token) })
      } catch (error) {
        if (error instanceof NotSupportedError) return 'not frozen'
        throw error
      }
    },
    answer(state) {
      const count = [...state.versions.values()].flat().length + state.ranges.length
      return count === writes ? NEWEST.answer(state) : 'not frozen'
    },
  }
}

const COUNT: Question = {
  name: 'how many keys there are',
  rounds: 1,
  looksAtState: false,
  ask: ({ table }) => String(table.countRange('', '~~')),
  answer: ({ versions }) => String(versions.size),
}

/** Exact where there are few. */
const ESTIMATE: Question = {
  ...COUNT,
  name: 'about how many keys there are',
  ask: ({ table }) => String(table.estimateCount('', '~~')),
}

const NUMBERS: Question = {
  name: 'all numbers at once',
  rounds: 2,
  looksAtState: true,
  ask({ program, token }) {
    const counters = new program.TableCounters()
    counters.read(program.Arena.attach(token.buffer))
    const { entries, keys, tombstones, rangeTombstones, liveBytes, smallest, largest } = counters
    return [entries, keys, tombstones, rangeTombstones, liveBytes, smallest, largest].join()
  },
  answer({ versions, ranges }) {
    const all = [...versions.values()].flat()
    const newest = [...versions].map(([key, [{ value }]]) => key.length + (value?.length ?? 0))
    const ends = ranges.map(({ start, end }) => start.length + end.length)
    const bytes = [...newest, ...ends].reduce((sum, length) => sum + length, 0)
    const sequences = [...all, ...ranges].map(({ sequence }) => sequence)
    const tombstones = all.filter(({ value }) => value === undefined).length
    const [smallest, largest] = sequences.length === 0 ? [0, 0] : [Math.min(...sequences), Math.max(...sequences)]
    return [all.length, versions.size, tombstones, ranges.length, bytes, smallest, largest].join()
  },
}
