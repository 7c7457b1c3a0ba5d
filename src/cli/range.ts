/**
 * Which part of a database is meant: the options shared by the commands that scan, and the two ends, or the prefix, of the others.
 */
import { type Command, Option } from 'commander'
import { prefixRange, type ScanOptions } from '../public/index.ts'
import { UsageError } from './exit.ts'
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
  return { ...bounds, reverse: range.reverse ?? false, limit: range.limit }
}

/** What a command takes that works on a range as a whole. */
export interface EndsOptions {
  readonly prefix?: string
  readonly hex?: boolean
}

/** Undefined: there is none. */
export type Ends = readonly [start: string | Uint8Array | undefined, end: string | Uint8Array | undefined]

export function addPrefixOption(command: Command): Command {
  return command.option('--prefix <key>', 'the keys that begin with this, instead of <start> and <end>')
}

/**
 * The ends of the range that <start> and <end>, or --prefix, name.
 * @throws UsageError if both do, or if one should be hex and is not; InvalidArgumentError if no key comes after those of the prefix
 */
export function endsOf(start: string | undefined, end: string | undefined, { prefix, hex = false }: EndsOptions): Ends {
  if (prefix === undefined) return [parseEnd(start, hex), parseEnd(end, hex)]
  if (start !== undefined) throw new UsageError('give either <start> and <end>, or --prefix')
  return prefixRange(parseText(prefix, hex))
}

function parseEnd(text: string | undefined, hex: boolean): string | Uint8Array | undefined {
  return text === undefined ? undefined : parseText(text, hex)
}
