/**
 * Random writes by varve and LevelDB in turn, in one directory, with write buffers so small that both flush; what each of
 * them sees is compared with a map after every turn. VARVE_SEED repeats a run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { applyTo, contentIn, contentOf, openLevel, openVarve, randomWrites, withDirectory } from './engines.ts'

const ROUNDS = 15
const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))

test(`varve and LevelDB take turns on one directory (VARVE_SEED=${seed})`, async () => {
  await withDirectory(async (directory) => {
    const prng = new Prng(seed)
    const model = new Map<string, string>()
    for (let round = 0; round < ROUNDS; round++) {
      const isVarve = round % 2 === 0
      const writeBufferBytes = 64 * 1024
      const engine = isVarve
        ? await openVarve(directory, { writeBufferBytes, workers: prng.below(2), walMarkers: prng.below(3) > 0 })
        : await openLevel(directory, { writeBufferBytes })
      const who = `round ${round}, ${isVarve ? 'varve' : 'LevelDB'}`
      assert.deepEqual(await engine.content(), contentOf(model), `${who}, opened`)
      const writes = randomWrites(prng, prng.below(250), 6000)
      for (const write of writes) {
        applyTo(model, write)
        await engine.write(write)
      }
      assert.deepEqual(await engine.content(), contentOf(model), `${who}, written`)
      await engine.close()
      const other = isVarve ? openLevel : openVarve
      // Half of the time the same engine opens what it closed.
      if (prng.below(2) === 0) assert.deepEqual(await contentIn(other, directory), contentOf(model), `${who}, closed`)
    }
  })
})
