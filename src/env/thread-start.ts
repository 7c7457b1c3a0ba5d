/**
 * The start of a thread: a word of shared memory, in which it says that it has loaded its modules and takes messages, or its owner that
 * it is not to. Whoever comes first is heard: a thread that was called off never begins.
 */

const LOADING = 0
const BEGUN = 1
const CALLED_OFF = 2

/** For one thread: of its owner, who hands it over. */
export function threadStart(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4))
}

/** By the thread. @returns false if it was called off */
export function begin(start: Int32Array): boolean {
  return Atomics.compareExchange(start, 0, LOADING, BEGUN) === LOADING
}

/** By the owner. @returns false if the thread has begun */
export function callOff(start: Int32Array): boolean {
  return Atomics.compareExchange(start, 0, LOADING, CALLED_OFF) !== BEGUN
}
