/**
 * Damages: what can happen to the files of a database, counted through, so that a number names one.
 *
 * Order    to each shape in turn: every byte changed once; every file removed, replaced, exchanged with every other, and cut at
 *          every length; then every byte changed in the second of eleven ways, and so on; what comes after all that is drawn at
 *          random: bursts of zeros and of noise
 * Changes  0–7 flip one bit; 8 makes it 00, 9 ff, 10 adds one. Which one a byte gets first depends on the seed.
 */
import { Prng } from '../../src/base/prng.ts'
import type { Shape } from './shapes.ts'

export type Damage =
  | { readonly kind: 'byte'; readonly file: string; readonly offset: number; readonly change: number }
  | { readonly kind: 'cut'; readonly file: string; readonly length: number }
  | { readonly kind: 'longer'; readonly file: string; readonly bytes: number; readonly fill: number }
  | { readonly kind: 'remove' | 'directory'; readonly file: string }
  | { readonly kind: 'swap' | 'copy'; readonly file: string; readonly other: string }
  | {
      readonly kind: 'burst'
      readonly file: string
      readonly offset: number
      readonly bytes: number
      readonly seed: number
    }

type Exchange = Extract<Damage, { readonly other: string }>

export const CHANGES = 11

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

/** One damage of one shape. */
export interface Case {
  readonly shape: string
  readonly damage: Damage
}

export class DamagePlan {
  /** How many there are until all is done that can be done. */
  readonly complete: number
  readonly #shapes: readonly Shape[]
  readonly #seed: number
  /** By shape: what happens to whole files, and where each file's bytes begin among all bytes. */
  readonly #whole: readonly Damage[][]
  readonly #bytes: readonly number[]

  constructor(shapes: readonly Shape[], seed: number) {
    this.#shapes = shapes
    this.#seed = seed
    this.#whole = shapes.map((shape) => wholeFileDamages(shape.files))
    this.#bytes = shapes.map(bytesOf)
    const wholes = this.#whole.reduce((sum, damages) => sum + damages.length, 0)
    this.complete = wholes + CHANGES * this.#bytes.reduce((sum, bytes) => sum + bytes, 0)
  }

  at(index: number): Case {
    let left = index
    for (let pass = 0; pass < CHANGES; pass++) {
      for (const [i, shape] of this.#shapes.entries()) {
        if (left < this.#bytes[i]) return { shape: shape.name, damage: this.#byteAt(shape, left, pass) }
        left -= this.#bytes[i]
        const whole = pass === 0 ? this.#whole[i] : []
        if (left < whole.length) return { shape: shape.name, damage: whole[left] }
        left -= whole.length
      }
    }
    return this.#drawn(index)
  }

  /** Whether the case changes a byte that no case before it has changed. */
  isFirstOfByte(index: number): boolean {
    let left = index
    for (const [i, bytes] of this.#bytes.entries()) {
      if (left < bytes) return left >= 0
      left -= bytes + this.#whole[i].length
    }
    return false
  }

  #byteAt(shape: Shape, at: number, pass: number): Damage {
    let offset = at
    for (const [file, bytes] of shape.files) {
      const change = (this.#seed + at * 7 + pass) % CHANGES
      if (offset < bytes.length) return { kind: 'byte', file, offset, change }
      offset -= bytes.length
    }
    throw new Error(`${shape.name} has no byte ${at}`)
  }

  #drawn(index: number): Case {
    const prng = new Prng(this.#seed ^ Math.imul(index, 0x9e3779b1))
    const shape = this.#shapes[prng.below(this.#shapes.length)]
    const files = [...shape.files]
    const [file, bytes] = files[prng.below(files.length)]
    const offset = prng.below(bytes.length)
    const longest = [2, 8, 64, 512][prng.below(4)]
    const length = Math.min(bytes.length - offset, 1 + prng.below(longest))
    const seed = prng.below(4) === 0 ? 0 : prng.next32()
    return { shape: shape.name, damage: { kind: 'burst', file, offset, bytes: length, seed } }
  }
}

/** Of all its files. */
export function bytesOf({ files }: Shape): number {
  return [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0)
}

function wholeFileDamages(files: Files): Damage[] {
  const damages: Damage[] = []
  for (const [file, { length }] of files) {
    damages.push({ kind: 'remove', file }, { kind: 'directory', file })
    for (const fill of [0, 0x41, 0xff])
      for (const bytes of [1, 7, 512, 40_000]) damages.push({ kind: 'longer', file, bytes, fill })
    for (const other of files.keys()) {
      if (other < file) damages.push({ kind: 'swap', file, other })
      if (other !== file) damages.push({ kind: 'copy', file, other })
    }
    for (let cut = 0; cut < length; cut++) damages.push({ kind: 'cut', file, length: cut })
  }
  return damages
}

/** The files afterwards; a directory where there was a file is undefined. */
export function damaged(files: Files, damage: Damage): Map<string, Uint8Array<ArrayBuffer> | undefined> {
  const { file } = damage
  const result = new Map<string, Uint8Array<ArrayBuffer> | undefined>(files)
  const bytes = contentOf(files, file)
  if (damage.kind === 'remove') result.delete(file)
  else if (damage.kind === 'directory') result.set(file, undefined)
  else if (damage.kind === 'cut') result.set(file, bytes.slice(0, damage.length))
  else if (damage.kind === 'longer') result.set(file, longer(bytes, damage.bytes, damage.fill))
  else if (damage.kind === 'byte') result.set(file, withByte(bytes, damage.offset, damage.change))
  else if (damage.kind === 'burst') result.set(file, withBurst(bytes, damage.offset, damage.bytes, damage.seed))
  else {
    const { other } = damage as Exchange
    result.set(file, contentOf(files, other))
    if (damage.kind === 'swap') result.set(other, bytes)
  }
  return result
}

function contentOf(files: Files, file: string): Uint8Array<ArrayBuffer> {
  const bytes = files.get(file)
  if (bytes === undefined) throw new Error(`there is no ${file}`)
  return bytes
}

function longer(bytes: Uint8Array<ArrayBuffer>, more: number, fill: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length + more).fill(fill)
  result.set(bytes)
  return result
}

function withByte(bytes: Uint8Array<ArrayBuffer>, offset: number, change: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice()
  if (change < 8) copy[offset] ^= 1 << change
  else if (change === 8) copy[offset] = 0
  else if (change === 9) copy[offset] = 0xff
  else copy[offset]++
  return copy
}

/** Zeros if the seed is 0, else noise. */
function withBurst(
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
  length: number,
  seed: number,
): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice()
  const prng = new Prng(seed)
  for (let i = offset; i < offset + length; i++) copy[i] = seed === 0 ? 0 : prng.below(256)
  return copy
}

/** Which bytes of a file are no longer what they were: [begin, limit). */
export function touched(
  files: Files,
  damage: Damage,
  file: string,
): readonly [begin: number, limit: number] | undefined {
  const before = files.get(file)
  const after = damaged(files, damage).get(file)
  if (before === undefined) return undefined
  if (after === undefined) return [0, Number.POSITIVE_INFINITY]
  const shorter = Math.min(before.length, after.length)
  let begin = 0
  while (begin < shorter && before[begin] === after[begin]) begin++
  if (begin === before.length && begin === after.length) return undefined
  if (before.length !== after.length) return [begin, Number.POSITIVE_INFINITY]
  let limit = shorter
  while (before[limit - 1] === after[limit - 1]) limit--
  return [begin, limit]
}
