/**
 * The crash matrix: the world stops before every file-system call of the workload, in turn; from what a power loss may then
 * leave (every mode, several draws), the database is opened again.
 *
 * Invariants  (1) it opens
 *             (2) its state is that after the first p writes, for one p from the last write that was acknowledged as durable
 *                 to the last one that was started: no hole, no half batch
 *             (3) it takes a durable write, which a further power loss leaves in place, with everything before it
 *             (4) all of that holds if the recovery itself is stopped before any of its calls
 * A killed process (nothing lost but what varve held back) must leave every write of `os` and `disk`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { open } from '../../src/db/open.ts'
import { CRASH_MODES, type CrashMode } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, Ledger, live, OPTIONS, type Runner, readState, summary } from './workload.ts'

const SEED = 20260101
/** Draws for each mode; what is synced, and everything, are the same in every draw. */
const DRAWS: Readonly<Record<CrashMode, number>> = { 0: 1, 1: 1, 2: 1, 3: 2, 4: 1, 5: 2, 6: 1, 7: 1 }

/** A life that was stopped: what it left, and what it had been told. */
interface Stopped {
  readonly memory: MemoryEnvironment
  readonly ledger: Ledger
  readonly isOver: boolean
}

/** Run the workload up to its call `stopAt`. Two tables fail at first, so that frozen MemTables wait while writes go on. */
async function runUntil(stopAt: number): Promise<Stopped> {
  const memory = new MemoryEnvironment()
  let failures = 2
  const environment = new FaultEnvironment(memory, {
    directory: DIRECTORY,
    stopAt,
    faultAt: (call) =>
      call.op === 'create' && call.path.endsWith('.ldb') && failures-- > 0 ? { code: 'EIO' } : undefined,
  })
  const ledger = new Ledger()
  let crash: () => void = () => {}
  const crashed = new Promise<void>((resolve) => {
    crash = resolve
  })
  const pass = async (durationMs: number): Promise<void> => memory.runTimers(memory.clock.micros / 1000 + durationMs)
  const runner: Runner = { environment, ledger, step, pass }
  await Promise.race([live(runner), crashed])
  return { memory, ledger, isOver: !environment.crashed }

  /** A dead process does nothing more: the workload stays where it is. Time passes only if nothing else happens. */
  async function step(promise: Promise<unknown>): Promise<boolean> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    for (let turns = 1; !isSettled && !environment.crashed; turns++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (turns % 8 === 0) memory.runTimers(memory.clock.micros / 1000 + 1000)
    }
    if (environment.crashed) {
      crash()
      await new Promise(() => {})
    }
    await promise
    return true
  }
}

/** Open what is left, and hold it against the ledger: what is found has at least `low` writes. */
async function check(image: MemoryEnvironment, { ledger }: Stopped, low: number, where: string): Promise<void> {
  const db = await open(DIRECTORY, { ...OPTIONS, environment: image }).catch((error) => {
    throw new Error(`${where}: does not open: ${error.message}`, { cause: error })
  })
  const state = readState(db)
  const count = Number(state.get('last') ?? 0)
  assert.deepEqual(state, ledger.model(count), `${where}: ${summary(state)}`)
  assert.ok(count >= low, `${where}: ${low} writes were acknowledged as durable, ${count} are found`)
  assert.ok(count <= ledger.writes.length, where)
  await db.put('after', 'the crash', { durability: 'disk' })
  const again = await open(DIRECTORY, { ...OPTIONS, environment: image.crashImage(0, new Prng(SEED)) })
  assert.deepEqual(readState(again), new Map([['after', 'the crash'], ...state]), `${where}: after one more write`)
}

test('a database survives a power loss before every file-system call', async (t) => {
  let images = 0
  let calls = 0
  for (; ; calls++) {
    const stopped = await runUntil(calls)
    for (const mode of CRASH_MODES) {
      for (let draw = 0; draw < DRAWS[mode]; draw++) {
        const where = `seed ${SEED}, call ${calls}, mode ${mode}, draw ${draw}`
        const image = stopped.memory.crashImage(mode, new Prng(SEED + calls * 31 + draw))
        await check(image, stopped, stopped.ledger.durable, where)
        images++
      }
    }
    if (stopped.isOver) break
  }
  t.diagnostic(`${images} images at ${calls} calls`)
  assert.ok(calls > 150, 'the workload makes calls')
})

test('a database keeps every acknowledged write of a killed process, whichever call came next', async (t) => {
  let calls = 0
  for (; ; calls++) {
    const stopped = await runUntil(calls)
    await check(stopped.memory.processCrashImage(), stopped, stopped.ledger.kept, `killed at call ${calls}`)
    if (stopped.isOver) break
  }
  t.diagnostic(`${calls} kills`)
})

test('a recovery that is stopped before any of its calls can be begun again', async (t) => {
  let images = 0
  const modes = new Prng(SEED)
  for (let calls = 7; ; calls += 7) {
    const stopped = await runUntil(calls)
    for (let stopAt = 0; ; stopAt++) {
      const [first, second] = [modes.below(8) as CrashMode, modes.below(8) as CrashMode]
      const where = `seed ${SEED}, call ${calls}, mode ${first}, recovery call ${stopAt}, mode ${second}`
      const image = stopped.memory.crashImage(first, new Prng(SEED + calls))
      const environment = new FaultEnvironment(image, { directory: DIRECTORY, stopAt })
      const opening = open(DIRECTORY, { ...OPTIONS, environment })
      const opened = await opening.then(
        () => true,
        () => false,
      )
      // The removal of what is obsolete may be cut short unnoticed.
      assert.ok(opened || environment.crashed, where)
      await check(image.crashImage(second, new Prng(SEED + stopAt)), stopped, stopped.ledger.durable, where)
      images++
      if (!environment.crashed) break
    }
    if (stopped.isOver) break
  }
  t.diagnostic(`${images} images`)
})
