/**
 * ArenaMemory: where arenas get their memory, and where it goes when their tables are done with. V8 does not count shared
 * memory towards garbage (measured: Node 20 and 400 MB of writes left 440 MiB of dead arenas), so whoever makes one
 * MemTable after another would hold many times what it uses until something else has the garbage collected. Memory that is
 * given back here serves the next arena of the same length.
 *
 * Invariants  (1) memory that is taken is all zeros, as if it were new
 *             (2) what lies idle here is held weakly: it costs nothing that the garbage collector would not free
 * Threads     each thread has its own
 */
import { sharedMemory } from '../base/shared-memory.ts'
import * as Layout from './arena-layout.ts'

/** Idle arenas to remember: those of a few databases with a few frozen MemTables each. */
const IDLE_MAX = 16

let idle: readonly WeakRef<SharedArrayBuffer>[] = []

/** Zeros. @throws RangeError if the process has no address space for it */
export function takeMemory(bytes: number): SharedArrayBuffer {
  for (const reference of idle) {
    const memory = reference.deref()
    if (memory?.byteLength !== bytes) continue
    idle = idle.filter((other) => other !== reference)
    return memory
  }
  return sharedMemory(bytes)
}

/** Zero all that a frozen arena has written. @requires nobody reads it any more */
export function clearMemory(memory: SharedArrayBuffer): void {
  const words = new Int32Array(memory)
  words.fill(0, words.length - (words[Layout.WRITTEN_ABOVE] >> 2))
  words.fill(0, 0, words[Layout.WRITTEN] >> 2)
}

/**
 * Give back the memory of an arena.
 * @requires it is all zeros again; nobody reads the arena any more, on any thread, nor ever will; it is not given back twice
 */
export function giveBackMemory(memory: SharedArrayBuffer): void {
  const alive = idle.filter((reference) => reference.deref() !== undefined)
  idle = [...alive, new WeakRef(memory)].slice(-IDLE_MAX)
}
