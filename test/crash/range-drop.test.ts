/**
 * Power loss and failed calls around a range delete that drops whole tables and expands others: the world stops, or one call
 * fails, before every file-system call of a short life, in turn.
 *
 * Invariants  (1) the database opens, and shows the range delete wholly or not at all; once it was acknowledged as durable,
 *                 wholly; what it does not cover stays in any case
 *             (2) so it does after a close and another opening
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { CRASH_MODES } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type DB, open } from '../../src/public/index.ts'
import type { FaultPredicate } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'

const DIRECTORY = '/db'
const SEED = 20260302
const BEFORE = ['a0', 'm0', 'm1', 'm2', 'z0']
const AFTER = ['a0', 'z0']

interface Life {
  readonly memory: MemoryEnvironment
  readonly environment: FaultEnvironment
  /** The range delete was acknowledged. */
  isDeleted: boolean
}

/** Two tables, one of which the range covers; the range delete; a flush; a close. Ends at the first failure. */
async function live(stopAt: number | undefined, faultAt: FaultPredicate | undefined): Promise<Life> {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, {
    directory: DIRECTORY,
    ...(stopAt !== undefined && { stopAt }),
    ...(faultAt !== undefined && { faultAt }),
  })
  const life: Life = { memory, environment, isDeleted: false }
  let db: DB | undefined
  try {
    db = await open(DIRECTORY, { environment, workers: 0 })
    for (const key of ['m0', 'm1']) db.putSync(key, 'x', { durability: 'disk' })
    await db.flush()
    for (const key of ['a0', 'm2', 'z0']) db.putSync(key, 'x', { durability: 'disk' })
    await db.flush()
    db.deleteRangeSync('m', 'n', { durability: 'disk' })
    life.isDeleted = true
    await db.flush()
  } catch {
    // What it left is what counts.
  }
  if (!environment.crashed) await db?.close().catch(() => {})
  return life
}

async function check({ isDeleted }: Life, image: MemoryEnvironment, where: string): Promise<void> {
  const db = await open(DIRECTORY, { environment: image, workers: 0 })
  const found = Array.from(db.keysSync(), (key) => Buffer.from(key).toString())
  if (isDeleted) assert.deepEqual(found, AFTER, where)
  else if (found.join() !== AFTER.join())
    assert.deepEqual(
      found,
      BEFORE.filter((key) => found.includes(key)),
      where,
    )
  await db.close()
  const again = await open(DIRECTORY, { environment: image, workers: 0 })
  assert.deepEqual(
    Array.from(again.keysSync(), (key) => Buffer.from(key).toString()),
    found,
    where,
  )
  await again.close()
}

test('a range delete that drops a table survives a power loss before every call', async (t) => {
  let calls = 0
  for (; ; calls++) {
    const life = await live(calls, undefined)
    for (const mode of CRASH_MODES) {
      const where = `seed ${SEED}, call ${calls}, mode ${mode}`
      await check(life, life.memory.crashImage(mode, new Prng(SEED + calls)), where)
    }
    if (!life.environment.crashed) break
  }
  t.diagnostic(`${calls} calls`)
  assert.ok(calls > 60)
})

test('a range delete that drops a table survives the failure of any one call', async (t) => {
  let calls = 0
  for (; ; calls++) {
    let isHit = false
    const life = await live(undefined, ({ index }) => {
      if (index !== calls) return undefined
      isHit = true
      return { code: 'EIO' }
    })
    await check(life, life.memory.crashImage(0, new Prng(SEED)), `call ${calls}`)
    assert.equal(life.memory.files.openCount, 0, `call ${calls}`)
    if (!isHit) break
  }
  t.diagnostic(`${calls} calls`)
})
