/**
 * The records that varve and its peers are given for the same harness: as many, as long, in the same order.
 */
import type { Put } from '../engines/engine.ts'

export const RECORDS = 200

export function record(i: number): Put {
  return [
    `key/${String(i).padStart(4, '0')}`,
    `${i}:${String.fromCharCode(97 + (i % 26)).repeat(10 + ((i * 37) % 60))}`,
  ]
}
