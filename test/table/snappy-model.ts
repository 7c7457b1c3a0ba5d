/**
 * A decoder of Snappy's format that moves one byte at a time and thinks of nothing but the format: the model of the tests.
 * And snappyjs, another's implementation.
 */
import { createRequire } from 'node:module'

interface SnappyJs {
  compress(bytes: Uint8Array): Uint8Array
  uncompress(bytes: Uint8Array): Uint8Array
}

/** It has no types. */
export const snappyJs: SnappyJs = createRequire(import.meta.url)('snappyjs')

/** The contents, or undefined if the block is not sound. */
export function modelDecode(stored: Uint8Array): Uint8Array | undefined {
  let at = 0
  const integer = (bytes: number): number => {
    let value = 0
    for (let i = 0; i < bytes; i++) value += stored[at + i] * 256 ** i
    at += bytes
    return value
  }
  let declared = 0
  for (let unit = 1; ; unit *= 128) {
    if (at === stored.length || at === 10) return undefined
    const byte = stored[at++]
    declared += (byte & 127) * unit
    if (byte < 128) break
  }
  if (declared >= 2 ** 32 || declared > stored.length * 64) return undefined
  const contents: number[] = []
  while (at < stored.length) {
    const tag = stored[at++]
    const kind = tag & 3
    if (kind === 0) {
      const length = (tag >> 2 < 60 ? tag >> 2 : integer((tag >> 2) - 59)) + 1
      if (!(at + length <= stored.length)) return undefined
      for (let i = 0; i < length; i++) contents.push(stored[at++])
    } else {
      const length = kind === 1 ? 4 + ((tag >> 2) & 7) : (tag >> 2) + 1
      const offset = kind === 1 ? (tag >> 5) * 256 + integer(1) : integer(kind === 2 ? 2 : 4)
      if (!(at <= stored.length && offset >= 1 && offset <= contents.length)) return undefined
      for (let i = 0; i < length; i++) contents.push(contents[contents.length - offset])
    }
    if (contents.length > declared) return undefined
  }
  return contents.length === declared ? Uint8Array.from(contents) : undefined
}
