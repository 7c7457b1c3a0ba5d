/**
 * The peers on the same harness and with the same records: what of damage, SIGKILL and full disks classic-level and lmdb
 * survive, next to varve. What peers lose is counted; only what varve loses is a finding.
 */
import { PackageMissingError } from '../tools/on-demand.ts'
import type { Campaign, CampaignContext } from './campaign.ts'
import type { EngineName } from './engines/engine.ts'
import { installLmdb } from './engines/lmdb-engine.ts'
import { runKills } from './kill/kill-run.ts'
import { partOf } from './part.ts'
import { damagePeer } from './peers/damage-peers.ts'
import { fillDisks } from './peers/full-disk.ts'

export const FULL_DISK: Campaign = {
  name: 't17-full-disk',
  title: 'a disk that fills up, and has room again',
  ciSeconds: 10,
  longShare: 1,
  run: (context) => fillDisks(context, ['varve'], 200),
}

export const PEERS_DAMAGE: Campaign = {
  name: 'peers-damage',
  title: 'every byte inverted: varve, classic-level, lmdb',
  ciSeconds: 0,
  longShare: 0,
  sameThings: 'all',
  run: (context) => forEachEngine(context, (engine, part) => damagePeer(part, engine)),
}

export const PEERS_KILL: Campaign = {
  name: 'peers-kill',
  title: 'SIGKILL: varve, classic-level, lmdb',
  ciSeconds: 0,
  longShare: 0,
  run: (context) =>
    forEachEngine(context, async (engine, part) => {
      const failures = await runKills(part, { engines: [engine], levels: ['os', 'disk'], whose: engine })
      part.count(`${engine}: directories in which something was lost or wrong`, failures.length)
    }),
}

export const PEERS_FULL_DISK: Campaign = {
  name: 'peers-full-disk',
  title: 'a full disk: varve, classic-level, lmdb',
  ciSeconds: 0,
  longShare: 0,
  run: (context) => forEachEngine(context, (engine, part) => fillDisks(part, [engine], 20)),
}

/** Each engine has its part of the time. */
async function forEachEngine(
  context: CampaignContext,
  run: (engine: EngineName, part: CampaignContext) => Promise<void>,
): Promise<void> {
  const engines = availableEngines(context)
  for (const [i, engine] of engines.entries()) {
    await run(engine, partOf(context, 1 / (engines.length - i)))
  }
}

function availableEngines(context: CampaignContext): EngineName[] {
  try {
    installLmdb()
    return ['varve', 'classic-level', 'lmdb']
  } catch (error) {
    if (!(error instanceof PackageMissingError)) throw error
    console.error(error.message)
    context.count('skipped: lmdb cannot be installed here')
    return ['varve', 'classic-level']
  }
}
