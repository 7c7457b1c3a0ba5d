/**
 * Observer: a reader of a table that another thread fills by a WritePlan. Each of its operations is at one state; what it
 * sees there bounds that state from both sides.
 *
 * History is checked as it is made. A table is one register: its writer's n-th publication writes the state n, and a read
 * returns a state, or an interval of states if it did not look at everything. Such a history is linearizable if and only
 * if every read can be given a state of its interval that is
 *   not below   what was published before it began, and what any read that had ended by then was known to have seen
 *   not above   what the writer had begun to publish when it ended
 * The lowest such state is always right to take, since it leaves the most to reads that follow. It goes to `control`, where
 * the reads of all threads find it.
 */
import { equalBytes } from '../../src/base/bytes.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagSequence } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableToken } from '../../src/memtable/memtable-options.ts'
import type { Program } from './program.ts'
import { isValueOf, placeOf, type WritePlan } from './write-plan.ts'

/** Words of `control`: states whose publication has begun, and has ended; the newest one that was seen; readers at work. */
export const BEGUN = 0
export const PUBLISHED = 1
export const SEEN = 2
export const READERS = 3
/** Set to end the round at once. */
export const FAULTY = 4
export const CONTROL_WORDS = 5

const STEPS_MAX = 16
const FAULTS_MAX = 5

export class Observer {
  /** Operations that began before the last publication. */
  operations: number
  readonly faults: string[]
  readonly #plan: WritePlan
  readonly #control: Int32Array
  readonly #program: Program
  readonly #token: MemTableToken
  readonly #table: MemTable
  readonly #prng: Prng
  /** States in which the operation under way would see what it saw so far. */
  #least: number
  #most: number
  #what: string

  constructor(program: Program, token: MemTableToken, plan: WritePlan, control: Int32Array, seed: number) {
    this.operations = 0
    this.faults = []
    this.#plan = plan
    this.#control = control
    this.#program = program
    this.#token = token
    this.#table = program.MemTable.attach(token)
    this.#prng = new Prng(seed)
    this.#least = 0
    this.#most = 0
    this.#what = ''
  }

  /** Read until all is published, and a little longer, or until a thread finds a fault. */
  run(): void {
    const { batches } = this.#plan
    for (let left = 50; left > 0 && Atomics.load(this.#control, FAULTY) === 0; ) {
      if (Atomics.load(this.#control, PUBLISHED) < batches) this.operations++
      else left--
      this.#observe()
    }
  }

  #observe(): void {
    const control = this.#control
    const isFrozen = this.#table.isFrozen
    const published = Atomics.load(control, PUBLISHED)
    const seen = Atomics.load(control, SEEN)
    this.#least = isFrozen ? this.#plan.batches : Math.max(published, seen)
    this.#most = this.#plan.batches
    const floor = this.#least
    try {
      this.#readSomething()
      const most = Math.min(this.#most, Atomics.load(control, BEGUN))
      if (this.#least > most) this.#fault(`no state from ${this.#least} to ${most}; it began at ${floor}`)
    } catch (error) {
      if (this.faults.length < FAULTS_MAX) this.faults.push(`${this.#what}: ${error}`)
      Atomics.store(control, FAULTY, 1)
    }
    let newest = Atomics.load(control, SEEN)
    while (newest < this.#least) newest = Atomics.compareExchange(control, SEEN, newest, this.#least)
  }

  #readSomething(): void {
    const dice = this.#prng.below(4096)
    if (dice < 2000) this.#get()
    else if (dice < 2500) this.#getOld()
    else if (dice < 3000) this.#walk(true)
    else if (dice < 3500) this.#walk(false)
    else if (dice < 3800) this.#seeks()
    else if (dice < 4094) this.#numbers()
    else this.#scanAll(dice === 4094)
  }

  #get(): void {
    const key = this.#prng.below(this.#plan.keys.length)
    this.#what = `get of key ${key}`
    const found = this.#table.get(this.#plan.keys[key])
    if (found === undefined) this.#isAbsent(key)
    else this.#isAt(key, found.sequence, found.type === 'value' ? found.value : undefined)
  }

  /** As of a state of the past, or of the future. */
  #getOld(): void {
    const { keys, batches, lastSequences, changes } = this.#plan
    const key = this.#prng.below(keys.length)
    const state = this.#prng.below(batches)
    this.#what = `get of key ${key} as of state ${state}`
    const found = this.#table.get(keys[key], lastSequences[state])
    const all = changes[key]
    const at = found === undefined ? -1 : placeOf(all.sequences, found.sequence)
    if (found !== undefined && at < 0) this.#fault(`sequence ${found.sequence} is none of a batch's last`)
    if (found?.type === 'value') this.#isWhole(key, found.sequence, found.value)
    const from = at < 0 ? 0 : all.batches[at]
    const next = at + 1 < all.batches.length ? all.batches[at + 1] : batches + 1
    // What comes after that state does not show, so it does not bound the table's.
    this.#bound(from, next > state ? batches : next - 1)
  }

  /** From some key on, with a cursor. */
  #walk(isForwards: boolean): void {
    const { keys, versions } = this.#plan
    const cursor = this.#table.cursor()
    let key = this.#prng.below(keys.length)
    this.#what = `${isForwards ? 'scan' : 'scan back'} from key ${key}`
    const step = isForwards ? 1 : -1
    let isThere = isForwards ? cursor.seek(keys[key]) : cursor.seekForPrev(keys[key])
    for (let steps = 1 + this.#prng.below(STEPS_MAX); steps > 0; steps--) {
      const found = isThere ? cursor.key : undefined
      for (; key >= 0 && key < keys.length; key += step) {
        if (found !== undefined && equalBytes(found, 0, found.length, keys[key], 0, keys[key].length)) break
        this.#bound(0, (versions[key].batches[0] ?? Number.POSITIVE_INFINITY) - 1)
      }
      if (found === undefined) return
      if (keys[key] === undefined) this.#fault(`${found.join()} is no key, or not in order`)
      this.#isAt(key, cursor.sequence, cursor.value)
      isThere = isForwards ? cursor.next() : cursor.prev()
      key += step
    }
  }

  /** Several keys by one iterator, which stays at one state. */
  #seeks(): void {
    const { keys, versions } = this.#plan
    const at = this.#table.iterator()
    this.#what = 'seeks'
    for (let i = 0; i < 3; i++) {
      const key = this.#prng.below(keys.length)
      const bytes = keys[key]
      at.seek(bytes, 0, bytes.length, MAX_TAG_LOW, MAX_TAG_HIGH)
      if (!at.valid || !equalBytes(at.keyBuf, at.keyOff, at.keyLen, bytes, 0, bytes.length)) {
        this.#bound(0, (versions[key].batches[0] ?? Number.POSITIVE_INFINITY) - 1)
        continue
      }
      const sequence = tagSequence(at.tagLow, at.tagHigh)
      const index = placeOf(versions[key].sequences, sequence)
      if (index < 0) this.#fault(`sequence ${sequence} of key ${key} is none of a batch's last`)
      if (versions[key].areValues[index]) this.#isWhole(key, sequence, at.valBuf, at.valOff, at.valLen)
      this.#bound(versions[key].batches[index], (versions[key].batches[index + 1] ?? Number.POSITIVE_INFINITY) - 1)
    }
  }

  #numbers(): void {
    this.#what = 'numbers'
    const counters = new this.#program.TableCounters()
    counters.read(this.#program.Arena.attach(this.#token.buffer))
    const { entries, keys, tombstones, rangeTombstones, largest } = counters
    const state = placeOf(this.#plan.lastSequences, largest)
    const ought = this.#plan.numbers[state]
    const isRight =
      ought?.entries === entries &&
      ought.keys === keys &&
      ought.tombstones === tombstones &&
      ought.rangeTombstones === rangeTombstones
    if (!isRight) this.#fault(`${[entries, keys, tombstones, rangeTombstones, largest].join()} at once`)
    this.#bound(state, state)
  }

  /** Every version of every key; how many there are tells the state. */
  #scanAll(isForwards: boolean): void {
    this.#what = isForwards ? 'all versions' : 'all versions, backwards'
    const at = this.#table.iterator()
    let count = 0
    if (isForwards) for (at.seekToFirst(); at.valid; at.next()) count++
    else for (at.seekToLast(); at.valid; at.prev()) count++
    const { numbers } = this.#plan
    const first = numbers.findIndex(({ entries }) => entries === count)
    if (first < 0) this.#fault(`${count} versions are those of no state`)
    let last = first
    while (last + 1 < numbers.length && numbers[last + 1].entries === count) last++
    this.#bound(first, last)
  }

  #isAbsent(key: number): void {
    this.#bound(0, (this.#plan.changes[key].batches[0] ?? Number.POSITIVE_INFINITY) - 1)
  }

  /** The key shows a change; its value, unless it is a tombstone. */
  #isAt(key: number, sequence: number, value: Bytes | undefined): void {
    const { batches, sequences, areValues } = this.#plan.changes[key]
    const index = placeOf(sequences, sequence)
    if (index < 0) this.#fault(`sequence ${sequence} of key ${key} is none of a batch's last`)
    if (areValues[index] !== (value !== undefined)) this.#fault(`key ${key} is a value, or a tombstone`)
    if (value !== undefined) this.#isWhole(key, sequence, value)
    this.#bound(batches[index], (batches[index + 1] ?? Number.POSITIVE_INFINITY) - 1)
  }

  #isWhole(key: number, sequence: number, buffer: Bytes, offset: number = 0, length: number = buffer.length): void {
    const isWhole = isValueOf(this.#plan.keys[key], sequence, buffer, offset, length)
    if (!isWhole) this.#fault(`the value of key ${key} at ${sequence} is torn`)
  }

  #bound(least: number, most: number): void {
    if (least > this.#least) this.#least = least
    if (most < this.#most) this.#most = most
  }

  #fault(what: string): never {
    throw new Error(what)
  }
}
