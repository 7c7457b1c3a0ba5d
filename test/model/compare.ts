/**
 * What a model run hands to the database and compares its answers by: strings of one character a byte, as bytes and back.
 */
import assert from 'node:assert/strict'
import type { Entry, ScanOptions } from '../../src/public/index.ts'
import type { Range } from './history.ts'

export function pick<T>(from: readonly T[], which: number): T | undefined {
  return from.length === 0 ? undefined : from[which % from.length]
}

export function bytes(string: string): Uint8Array {
  return Buffer.from(string, 'latin1')
}

export function text(value: Uint8Array): string
export function text(value: Uint8Array | undefined): string | undefined
export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString('latin1')
}

export function texts([key, value]: Entry): [string, string] {
  return [text(key), text(value)]
}

export function toOptions({ gte, gt, lte, lt, reverse, limit }: Range): ScanOptions {
  return {
    ...(gte !== undefined && { gte: bytes(gte) }),
    ...(gt !== undefined && { gt: bytes(gt) }),
    ...(lte !== undefined && { lte: bytes(lte) }),
    ...(lt !== undefined && { lt: bytes(lt) }),
    ...(reverse !== undefined && { reverse }),
    ...(limit !== undefined && { limit }),
  }
}

/** Values are long: what differs is shown by its beginning. */
export function show(value: string | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value.slice(0, 24))
}

export function assertOneOf<T>(possible: ReadonlySet<T>, found: T, what: string): void {
  const shown = (value: T): string => (typeof value === 'boolean' ? String(value) : show(value as string | undefined))
  assert.ok(possible.has(found), `${what}: ${shown(found)}, not ${[...possible].map(shown).join(' or ')}`)
}

export function assertEntries(
  actual: readonly [string, string][],
  expected: readonly [string, string][],
  what: string,
): void {
  const line = ([key, value]: [string, string]): string => `${show(key)} = ${show(value)} (${value.length})`
  assert.deepEqual(actual.map(line), expected.map(line), what)
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined
}
