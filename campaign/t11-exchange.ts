/**
 * T11, exchange: varve and LevelDB in C++ (classic-level) write to one directory in turn, each killed with SIGKILL, and each
 * opens what the other was killed over (kill/lives.ts).
 */
import type { Campaign } from './campaign.ts'
import { runKills } from './kill/kill-run.ts'

export const EXCHANGE: Campaign = {
  name: 't11-exchange',
  title: 'varve and LevelDB in turn on one directory, and both are killed',
  ciSeconds: 15,
  longShare: 4,
  run: async (context) => {
    await runKills(context, { engines: ['varve', 'classic-level'], levels: ['os', 'disk'], whose: 'varve or LevelDB' })
  },
}
