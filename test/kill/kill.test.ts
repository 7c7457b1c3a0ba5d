/**
 * kill -9, many times over, on one directory: whatever moment it strikes, opening, writing, rotating or flushing, the next
 * opening finds every acknowledged batch, each batch whole, and no hole between them. The lives are those of the campaign;
 * here are a few of them. VARVE_SEED repeats the moments as far as they can be; VARVE_KILLS sets the number of kills.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EngineName, Level } from '../../campaign/engines/engine.ts'
import { Lives } from '../../campaign/kill/lives.ts'
import { Prng } from '../../src/base/prng.ts'

const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const kills = Number(process.env.VARVE_KILLS ?? 25)

describe(`after kill -9 (VARVE_SEED=${seed})`, { concurrency: true }, () => {
  const prng = new Prng(seed)
  const cases: readonly [engines: EngineName[], level: Level, share: number][] = [
    [['varve'], 'os', 0.4],
    [['varve'], 'disk', 0.4],
    [['varve', 'classic-level'], 'disk', 0.2],
  ]
  for (const [engines, level, share] of cases) {
    const lives = new Lives(engines, level, prng.next32())
    it(`${engines.join(' and ')} at '${level}' have every acknowledged batch, whole and without holes`, async (t) => {
      try {
        for (let left = Math.ceil(kills * share); left > 0; left--) await lives.next()
        await lives.look()
        t.diagnostic(JSON.stringify(lives.counts))
        assert.ok(lives.counts.batches > 0, 'something was written')
      } finally {
        lives.dispose()
      }
    })
  }
})
