/**
 * Copying short strings of bytes, by a loop or by TypedArray.set: the crossover that base/bytes.ts relies on. Sources and
 * targets are parts of larger buffers, as records and arenas are; targets of both kinds of memory.
 *
 *   node .build/bench/micro/copy.js
 */
import { copyBytes } from '../../src/base/bytes.ts'
import type { Bytes } from '../../src/base/types.ts'
import { type Candidate, compare } from './timing.ts'

const LENGTHS = [8, 16, 20, 24, 28, 32, 48, 64, 100, 256, 4096]
const AREA_BYTES = 1024 * 1024
/** Odd, so that offsets differ in alignment. */
const STEP_BYTES = 4211

function loop(from: Bytes, fromOff: number, to: Bytes, toOff: number, length: number): void {
  for (let i = 0; i < length; i++) to[toOff + i] = from[fromOff + i]
}

function set(from: Bytes, fromOff: number, to: Bytes, toOff: number, length: number): void {
  to.set(from.subarray(fromOff, fromOff + length), toOff)
}

type Copy = (from: Bytes, fromOff: number, to: Bytes, toOff: number, length: number) => void

function candidate(name: string, copy: Copy, to: Bytes, length: number): Candidate {
  const from = new Uint8Array(AREA_BYTES).fill(7)
  return {
    name,
    count: length > 1000 ? 20_000 : 200_000,
    run(count) {
      let offset = 0
      for (let i = 0; i < count; i++) {
        copy(from, offset, to, offset, length)
        offset = (offset + STEP_BYTES) % (AREA_BYTES - 4096)
      }
      return to[offset]
    },
  }
}

const own = new Uint8Array(AREA_BYTES)
const shared = new Uint8Array(new SharedArrayBuffer(AREA_BYTES))
for (const length of LENGTHS) {
  compare(`${length} bytes`, [
    candidate('loop, own memory', loop, own, length),
    candidate('set, own memory', set, own, length),
    candidate('copyBytes, own memory', copyBytes, own, length),
    candidate('loop, shared memory', loop, shared, length),
    candidate('set, shared memory', set, shared, length),
    candidate('copyBytes, shared memory', copyBytes, shared, length),
  ])
}
