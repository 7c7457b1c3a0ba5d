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

const BOUNDS = ['prefix', 'gte', 'gt', 'lte', 'lt'] as const

export function addRangeOptions(command: Command): Command {
  return command
    .option('--prefix <key>', 'only keys that begin with this')
    .addOption(new Option('--gte <key>', 'keys from this one on').conflicts('gt'))
    .addOption(new Option('--gt <key>', 'keys after this one'))
    .addOption(new Option('--lte <key>', 'keys up to this one').conflicts('lt'))
    .addOption(new Option('--lt <key>', 'keys before this one'))
    .option('--reverse', 'from the last key to the first')
    .option('--limit <n>', 'at most this many entries', parseCount)
}

/** @throws UsageError if a bound should be hex and is not */
export function scanOptionsOf(range: RangeOptions): ScanOptions {
  const hex = range.hex ?? false
  const bounds: { -readonly [K in (typeof BOUNDS)[number]]?: string | Uint8Array } = {}
  for (const name of BOUNDS) {
    const bound = range[name]
    if (bound !== undefined) bounds[name] = parseText(bound, hex)
  }
  return {
    ...bounds,
    reverse: range.reverse ?? false,
    ...(range.limit !== undefined && { limit: range.limit }),
  }
}
