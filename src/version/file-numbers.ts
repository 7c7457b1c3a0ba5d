/**
 * FileNumbers: the counter that names files, in shared memory, so that a job on a worker thread takes as many numbers as
 * its outputs need. A number is never given twice. A file that no MANIFEST names may be the output of a job that runs: files
 * are removed by what edits have deleted, and by what the directory lists only while there is no job.
 *
 * Threads  any thread takes numbers; `skipPast` is for the opening, before there are others
 */
import { assert } from '../base/assert.ts'
import { sharedMemory } from '../base/shared-memory.ts'
import { type FileNumber, fileNumber } from '../base/types.ts'

/** An opening gives at most so many numbers. The counter is one word of 32 bits: the rest of it is for tries that are refused. */
const TAKEN_MAX = 2 ** 32 - 2 ** 16

/** The counter on its way to another thread. */
export interface FileNumbersToken {
  readonly base: number
  readonly taken: SharedArrayBuffer
}

export class FileNumbers {
  #base: number
  /** One word, unsigned: how many numbers from `#base` on have been given. */
  readonly #taken: Int32Array<SharedArrayBuffer>

  private constructor(base: number, taken: SharedArrayBuffer) {
    this.#base = base
    this.#taken = new Int32Array(taken)
  }

  /** @param first the first number to be given */
  static startingAt(first: number): FileNumbers {
    return new FileNumbers(first, sharedMemory(4))
  }

  static attach({ base, taken }: FileNumbersToken): FileNumbers {
    return new FileNumbers(base, taken)
  }

  share(): FileNumbersToken {
    return { base: this.#base, taken: this.#taken.buffer }
  }

  /** A number that no file has had. */
  take(): FileNumber {
    const taken = Atomics.add(this.#taken, 0, 1) >>> 0
    assert(taken < TAKEN_MAX, 'a database that gives so many file numbers is opened anew in between')
    return fileNumber(this.#base + taken)
  }

  /** The number that is given next: above all that have been. */
  get next(): FileNumber {
    return fileNumber(this.#base + this.#count)
  }

  /** Never give `number` or less: a file of that number has been seen. Before the counter is shared. */
  skipPast(number: FileNumber): void {
    if (number >= this.next) this.#base = number + 1 - this.#count
  }

  get #count(): number {
    return Atomics.load(this.#taken, 0) >>> 0
  }
}
