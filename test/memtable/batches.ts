/**
 * The entries of the threads test: batch b overwrites all BATCH_KEYS shared keys, and adds OWN_KEYS keys of its own. A value holds its batch and a hash of its key and batch.
 */
import { getFixed32, putFixed32 } from '../../src/base/coding.ts'
import { hash32 } from '../../src/base/hash.ts'
import type { Bytes } from '../../src/base/types.ts'

export const BATCH_KEYS = 8
export const OWN_KEYS = 4

/** The key of one of the batch's entries; from BATCH_KEYS on they are its own. */
export function keyFor(slot: number, batch: number): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(12)
  key[0] = slot
  // Scattered, so that new nodes go everywhere in the list.
  if (slot >= BATCH_KEYS) {
    putFixed32(key, 0, Math.imul(batch * OWN_KEYS + slot, 0x9e3779b1))
    putFixed32(key, 4, batch)
    putFixed32(key, 8, slot)
  }
  return key
}

export function valueFor(key: Bytes, batch: number): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(8 + (batch % 50))
  putFixed32(value, 0, batch)
  putFixed32(value, 4, hash32(key, 0, key.length, batch))
  return value.fill(batch, 8)
}

/** The batch that an entry belongs to, or −1 if it is not as it was written. */
export function batchOf(key: Bytes, value: Bytes): number {
  if (value.length < 8) return -1
  const batch = getFixed32(value, 0)
  if (value.length !== 8 + (batch % 50) || getFixed32(value, 4) !== hash32(key, 0, key.length, batch)) return -1
  return value.subarray(8).every((byte) => byte === (batch & 0xff)) ? batch : -1
}
