/**
 * Random writes by varve and LevelDB in turn, in one directory, with other options in every turn, and write buffers and tables so
 * small that both flush and compact into several levels; what each of them sees is compared with a map after every turn. Some of
 * varve's turns end as if its process had been killed (LevelDB's in live.test.ts). VARVE_SEED repeats a run.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import type { Options } from '../../src/public/index.ts'
import {
  applyTo,
  contentIn,
  contentOf,
  copyLive,
  type Engine,
  openLevel,
  openVarve,
  randomWrites,
  withDirectory,
} from './engines.ts'

const ROUNDS = 24
const KIB = 1024
const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))

const COMPRESSIONS = ['none', 'snappy'] as const

function varveOptions(prng: Prng): Options {
  return {
    writeBufferBytes: [4, 16, 64][prng.below(3)] * KIB,
    maxFileBytes: [4, 16, 256][prng.below(3)] * KIB,
    levelBytes: [16, 64][prng.below(2)] * KIB,
    level0CompactionTrigger: [2, 4][prng.below(2)],
    blockBytes: [1, 1024, 4096][prng.below(3)],
    restartInterval: [1, 16][prng.below(2)],
    bloomBitsPerKey: [0, 10][prng.below(2)],
    compression: COMPRESSIONS[prng.below(2)],
    workers: prng.below(3),
    walMarkers: prng.below(3) > 0,
  }
}

/** One turn of varve. @returns where the database is from now on: a copy, if it was not closed */
async function varveTurn(directory: string, prng: Prng, use: (engine: Engine) => Promise<void>): Promise<string> {
  const options = varveOptions(prng)
  const isKilled = prng.below(3) === 0
  // What a copy finds must not change while it is made.
  const varve = await openVarve(directory, isKilled ? { ...options, workers: 0 } : options)
  await use(varve)
  if (prng.below(3) === 0) await varve.db.compactRange('user/2', 'user/6')
  if (!isKilled) {
    await varve.close()
    return directory
  }
  const copy = join(directory, 'next')
  copyLive(directory, copy)
  await varve.close()
  return copy
}

async function levelTurn(directory: string, prng: Prng, use: (engine: Engine) => Promise<void>): Promise<string> {
  const level = await openLevel(directory, {
    writeBufferBytes: 64 * KIB,
    compression: COMPRESSIONS[prng.below(2)],
    blockBytes: [1024, 4096][prng.below(2)],
    restartInterval: [1, 16][prng.below(2)],
  })
  await use(level)
  await level.close()
  return directory
}

test(`varve and LevelDB take turns on one directory (VARVE_SEED=${seed})`, async (t) => {
  await withDirectory(async (first) => {
    const prng = new Prng(seed)
    const model = new Map<string, string>()
    let directory = first
    let levels = 0
    for (let round = 0; round < ROUNDS; round++) {
      const isVarve = prng.below(3) > 0
      const who = `round ${round}, ${isVarve ? 'varve' : 'LevelDB'}`
      const takeTurn = isVarve ? varveTurn : levelTurn
      directory = await takeTurn(directory, prng, async (engine) => {
        assert.deepEqual(await engine.content(), contentOf(model), `${who}, opened`)
        for (const write of randomWrites(prng, prng.below(250), 6000)) {
          applyTo(model, write)
          await engine.write(write)
        }
        assert.deepEqual(await engine.content(), contentOf(model), `${who}, written`)
      })
      const reader = await openVarve(directory, { readOnly: true })
      levels = Math.max(levels, new Set(reader.db.stats().tables.map(({ level }) => level)).size)
      assert.deepEqual(await reader.content(), contentOf(model), `${who}, left`)
      await reader.close()
      const other = isVarve ? openLevel : openVarve
      if (prng.below(2) === 0) assert.deepEqual(await contentIn(other, directory), contentOf(model), `${who}, closed`)
    }
    t.diagnostic(`seed ${seed}: ${levels} levels`)
  })
})
