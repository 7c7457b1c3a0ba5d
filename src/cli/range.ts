/**
 * The options that say which part of a database is meant, shared by the commands that scan.
 */
import { type Command, Option } from 'commander'
import type { ScanOptions } from '../public/index.ts'
import { parseText } from './key-text.ts'
import { parseCount } from './option-values.ts'

export interface RangeOptions {
  readonly prefix?: string
  readonly gte?: string
  readonly gt?: string
  readonly lte?: string
  readonly lt?: string
  readonly reverse?: boolean
  readonly limit?: number
  readonly hex?: boolean
}

export function addRangeOptions(command: Command): Command {
  return command
    .addOption(new Option('--prefix <key>', 'keys that begin with this').conflicts(['gte', 'gt', 'lte', 'lt']))
    .addOption(new Option('--gte <key>', 'keys from this one on').conflicts('gt'))
    .addOption(new Option('--gt <key>', 'keys after this one'))
    .addOption(new Option('--lte <key>', 'keys up to this one').conflicts('lt'))
    .addOption(new Option('--lt <key>', 'keys before this one'))
    .option('--reverse', 'from the last key to the first')
    .option('--limit <n>', 'at most so many entries', parseCount)
}

/** @throws UsageError if a bound should be hex and is not */
export function scanOptionsOf(range: RangeOptions): ScanOptions {
  const hex = range.hex ?? false
  const bounds: { -readonly [K in 'gte' | 'gt' | 'lte' | 'lt']?: string | Uint8Array } = {}
  for (const name of ['gte', 'gt', 'lte', 'lt'] as const) {
    const bound = range[name]
    if (bound !== undefined) bounds[name] = parseText(bound, hex)
  }
  if (range.prefix !== undefined) Object.assign(bounds, prefixBounds(parseText(range.prefix, hex)))
  return {
    ...bounds,
    reverse: range.reverse ?? false,
    ...(range.limit !== undefined && { limit: range.limit }),
  }
}

/** The first key with the prefix, and the first one after all of them; a prefix of 0xff bytes has none after it. */
function prefixBounds(text: string | Uint8Array): ScanOptions {
  // A copy: a slice of a Buffer would be the same memory.
  const prefix = Uint8Array.from(Buffer.from(text))
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return { gte: prefix }
  const end = prefix.slice(0, length)
  end[length - 1]++
  return { gte: prefix, lt: end }
}
