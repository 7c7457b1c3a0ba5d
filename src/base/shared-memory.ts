/**
 * Shared memory: where what other threads may read has its place. A host that has none (a web page that is not cross-origin
 * isolated) has no threads of varve's either; there it is memory of this thread alone, on which Atomics works just as well.
 *
 * Invariant  memory that came from another thread as a copy is not taken for shared
 */

/** Memory of this thread alone that was made in the place of shared memory. */
const standIns = new WeakSet<object>()

/** Zeros. @throws RangeError if the process has no address space for it */
export function sharedMemory(bytes: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer !== 'undefined') return new SharedArrayBuffer(bytes)
  const memory = new ArrayBuffer(bytes)
  standIns.add(memory)
  return memory as unknown as SharedArrayBuffer
}

/** Also for what another realm made (a test runner's, a vm context's), where `instanceof` says no. */
export function isSharedMemory(buffer: unknown): buffer is SharedArrayBuffer {
  if (Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]') return true
  return typeof buffer === 'object' && buffer !== null && standIns.has(buffer)
}
