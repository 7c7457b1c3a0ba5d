/**
 * Shared memory: where what other threads may read has its place. A host that has none (a web page that is not cross-origin
 * isolated) has no threads of varve's either; there it is memory of this thread alone, on which Atomics works just as well.
 */

/** Zeros. @throws RangeError if the process has no address space for it */
export function sharedMemory(bytes: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer !== 'undefined') return new SharedArrayBuffer(bytes)
  return new ArrayBuffer(bytes) as unknown as SharedArrayBuffer
}
