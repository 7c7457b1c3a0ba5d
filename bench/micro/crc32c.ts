/**
 * CRC-32C of what varve checksums: a small record of the log (140 bytes) and a block of a table (4 KiB).
 *
 *   node .build/bench/micro/crc32c.js
 */
import { crc32c } from '../../src/base/crc32c.ts'
import { type Candidate, compare } from './timing.ts'

const AREA_BYTES = 64 * 1024

function candidate(length: number, count: number): Candidate {
  const bytes = Uint8Array.from({ length: AREA_BYTES }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24)
  return {
    name: `${length} bytes`,
    count,
    run(rounds) {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum ^= crc32c(bytes, (i * 61) % (AREA_BYTES - length), length)
      return sum
    },
  }
}

compare('crc32c', [candidate(16, 500_000), candidate(140, 200_000), candidate(4096, 10_000), candidate(32_768, 1000)])
