/**
 * T8, models: random operations on many sets of options, every answer compared with a model (test/model/); and relations between
 * runs: what changes no contents changes no answer. Batches may be taken apart; a flush, a compaction and a reopening may come
 * between any two operations; and whatever the options are, the same is found in the end.
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { StalledError } from '../src/base/errors.ts'
import { Prng } from '../src/base/prng.ts'
import type { Options } from '../src/db/options.ts'
import { type Operation, operations } from '../test/model/operations.ts'
import { ModelRun } from '../test/model/run.ts'
import type { Campaign } from './campaign.ts'
import type { LaneContext } from './lane/tally.ts'
import { messageOf, minimize } from './minimize.ts'
import { runSearch, type Search } from './search/search.ts'
import { Scheduler } from './sim/scheduler.ts'
import { SimWorld } from './sim/sim-world.ts'

/** Sets of options for each list of operations. */
const SETS = 24

interface Variant {
  readonly seed: number
  readonly operations: readonly Operation[]
  readonly options: Options
  readonly relation: string
}

type Relation = (list: readonly Operation[], prng: Prng) => Operation[]

/** What makes of a list of operations another one that must leave the same contents. */
const RELATIONS: Readonly<Record<string, Relation>> = {
  'as it is': (list) => [...list],
  'batches taken apart': (list) => list.flatMap(takeApart),
  'flushes between': (list, prng) => between(list, prng, { type: 'flush' }),
  'compactions between': (list, prng) =>
    between(list, prng, { type: 'compact', from: '', to: '\xff\xff\xff', isAwaited: true }),
  'reopenings between': (list, prng) => between(list, prng, { type: 'reopen' }),
}

export const MODEL_RUNS: Search = {
  name: 't08-models',
  step: (context, seed, step) => compare(context, seed + step),
  reproduction: (seed, step) => ({ seed: seed + step, operations: listOf(seed + step) }),
}

export const MODELS: Campaign = {
  name: MODEL_RUNS.name,
  title: 'random operations with many sets of options, and with changes that should change no answer',
  ciSeconds: 15,
  longShare: 12,
  run: (context) => runSearch(context, MODEL_RUNS),

  async replay(reproduction) {
    const variant = reproduction as Variant
    const plain = await runVariant({ ...variant, relation: 'as it is', options: {} })
    const { error, contents } = await runVariant(variant)
    if (isRefusal(error)) return
    if (error !== undefined) throw error
    if (!isDeepStrictEqual(contents, plain.contents)) throw new Error('the contents differ')
  },
}

/** Without crashes, which may keep more or less: the contents would not be the same. */
function listOf(seed: number): Operation[] {
  return fc.sample(operations, { seed, numRuns: 1 })[0].filter(({ type }) => !type.startsWith('crash'))
}

async function compare(context: LaneContext, seed: number): Promise<void> {
  const list = listOf(seed)
  const plain = await runVariant({ seed, operations: list, options: {}, relation: 'as it is' })
  const relations = Object.keys(RELATIONS)
  context.count('lists of operations')
  for (let set = 0; set < SETS && !context.isOver(); set++) {
    const options = drawOptions(new Prng(seed * SETS + set))
    const variant: Variant = { seed, operations: list, options, relation: relations[set % relations.length] }
    const { error, contents } = await runVariant(variant)
    context.count('sets of options')
    context.count('operations', list.length)
    if (isRefusal(error)) context.count('runs that a write ended that had waited too long')
    else if (error !== undefined) await report(context, variant, error)
    else if (!isDeepStrictEqual(contents, plain.contents)) {
      context.finding('other contents', `${variant.relation}, ${JSON.stringify(options)}`, variant)
    }
  }
}

/** The simulation is slow at will (scheduler.ts). A write that it lets wait for a minute is refused, as it should be. */
function isRefusal(error: unknown): boolean {
  return error instanceof StalledError
}

async function report(context: LaneContext, variant: Variant, error: unknown): Promise<void> {
  const message = messageOf(error)
  const minimal = await minimize(variant.operations, async (shorter) => {
    const other = (await runVariant({ ...variant, operations: shorter })).error
    return other !== undefined && messageOf(other).slice(0, 20) === message.slice(0, 20)
  })
  const what = `${variant.relation}, ${JSON.stringify(variant.options)}: ${message}`
  context.finding('the model answers otherwise', what, { ...variant, operations: minimal })
}

async function runVariant({ seed, operations: list, options, relation }: Variant): Promise<{
  error: unknown
  contents: readonly (readonly [string, string])[]
}> {
  const scheduler = new Scheduler(seed)
  const run = new ModelRun(new SimWorld(scheduler, options.workers ?? 0), options.walMarkers ?? true, options)
  try {
    await scheduler.until(run.run(RELATIONS[relation](list, new Prng(seed))))
  } catch (error) {
    return { error, contents: [] }
  }
  return { error: undefined, contents: run.contents }
}

function drawOptions(prng: Prng): Options {
  const pick = <T>(...from: readonly T[]): T => from[prng.below(from.length)]
  return {
    workers: pick(0, 1, 2),
    memtable: pick('radix', 'skiplist'),
    memtableChecksums: pick(true, false),
    writeBufferBytes: pick(16, 64, 1024) * 1024,
    maxImmutableMemTables: pick(1, 2, 8),
    blockBytes: pick(1024, 4096, 65_536),
    restartInterval: pick(1, 2, 16),
    bloomBitsPerKey: pick<number | readonly number[]>(0, 1, 10, [20, 0]),
    compression: pick('none', 'snappy'),
    blockCacheBytes: pick(0, 8192, 1 << 20),
    maxOpenFiles: pick(16, 1000),
    maxFileBytes: pick(1024, 4096, 65_536),
    level0CompactionTrigger: pick(1, 2, 4),
    levelBytes: pick(4096, 65_536),
    seekCompaction: pick(true, false),
    mergeAtRest: pick(true, false),
    walMarkers: pick(true, false),
  }
}

function takeApart(operation: Operation): Operation[] {
  if (operation.type !== 'batch') return [operation]
  const { how, edits, durability } = operation
  return edits.map((edit) => ({ type: 'write', how, edit, ...(durability !== undefined && { durability }) }))
}

function between(list: readonly Operation[], prng: Prng, inserted: Operation): Operation[] {
  return list.flatMap((operation) => (prng.below(8) === 0 ? [operation, inserted] : [operation]))
}
