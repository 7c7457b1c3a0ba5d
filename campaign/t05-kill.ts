/**
 * T5, SIGKILL: a real process is killed at random moments, over and over on one directory (kill/lives.ts).
 */
import type { Campaign } from './campaign.ts'
import { runKills } from './kill/kill-run.ts'

export const KILL: Campaign = {
  name: 't05-kill',
  title: 'SIGKILL of a process that writes',
  ciSeconds: 40,
  longShare: 8,
  run: async (context) => {
    await runKills(context, { engines: ['varve'], levels: ['os', 'disk'], whose: 'varve' })
  },
}
