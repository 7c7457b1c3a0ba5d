/**
 * Settings: the command line of the benchmark.
 */
import { parseArgs } from 'node:util'
import { WORKLOADS, type Workload, workloadNamed } from './workloads.ts'

export const USAGE = `npm run bench -- [options]

  --entries N        entries of a database (500000); fillsync and what awaits one by one do fewer
  --rounds N         measurements of each row (5)
  --only A,B         these workloads only
  --write-buffer N   MiB of both engines' write buffers (64)
  --cache N          MiB of both engines' block caches (each engine's own default)
  --seed N           of keys, values and orders (1)
  --quick            20,000 entries, one round: whether it works, not how fast it is
  --markdown         print the table as Markdown
  --profile          varve alone, once: CPU profiles to bench/results/, the top functions to stdout`

export interface Settings {
  readonly entries: number
  readonly rounds: number
  readonly workloads: readonly Workload[]
  readonly writeBufferBytes: number
  readonly cacheBytes: number | undefined
  readonly seed: number
  readonly isMarkdown: boolean
  readonly isProfile: boolean
}

const MIB = 1024 * 1024

/** @throws Error for an unknown option or a value that is none; undefined if help was asked for */
export function readSettings(argv: string[]): Settings | undefined {
  const { values } = parseArgs({
    args: argv,
    options: {
      entries: { type: 'string' },
      rounds: { type: 'string' },
      only: { type: 'string' },
      'write-buffer': { type: 'string', default: '64' },
      cache: { type: 'string' },
      seed: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    entries: positive('entries', values.entries ?? (values.quick ? '20000' : '500000')),
    rounds: values.profile ? 1 : positive('rounds', values.rounds ?? (values.quick ? '1' : '5')),
    workloads: values.only === undefined ? WORKLOADS : values.only.split(',').map(workloadNamed),
    writeBufferBytes: positive('write-buffer', values['write-buffer']) * MIB,
    cacheBytes: values.cache === undefined ? undefined : positive('cache', values.cache) * MIB,
    seed: positive('seed', values.seed),
    isMarkdown: values.markdown,
    isProfile: values.profile,
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} takes a positive integer, not ${text}`)
}
