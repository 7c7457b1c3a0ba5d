/**
 * T12, lock races: processes and threads open one directory at the same time: one of them gets it, all others are refused with
 * LOCKED. Some rounds end with SIGKILL of the holder; the next opener must then get it.
 *
 * In some rounds LevelDB in C++ races too. Two varves or two LevelDBs never hold the directory together. A varve and a
 * LevelDB that comes later may, where the package fs-native-extensions is missing (src/env/node-lock.ts): those are counted.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Prng } from '../src/base/prng.ts'
import type { Campaign, CampaignContext } from './campaign.ts'
import type { Start } from './locks/racer.ts'

const RACER = new URL('./locks/racer.js', import.meta.url)
const PROCESSES = 4
const THREADS = 3
const REFUSALS = ['LOCKED', 'LEVEL_LOCKED']

export const LOCKS: Campaign = {
  name: 't12-locks',
  title: 'processes and threads race for one directory',
  ciSeconds: 10,
  longShare: 1,
  run,
}

class Racer {
  #child: ChildProcess | Worker
  readonly isProcess: boolean

  constructor(isProcess: boolean) {
    this.isProcess = isProcess
    this.#child = isProcess ? fork(RACER) : new Worker(RACER)
  }

  async ask(message: Start | 'release'): Promise<string> {
    const answered = once(this.#child, 'message')
    if (this.#child instanceof Worker) this.#child.postMessage(message)
    else this.#child.send(message)
    const [answer] = await answered
    return answer
  }

  /** SIGKILL, and another process in its place. */
  async replace(): Promise<void> {
    await this.stop()
    this.#child = fork(RACER)
  }

  async stop(): Promise<void> {
    if (this.#child instanceof Worker) {
      await this.#child.terminate()
      return
    }
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}

async function run(context: CampaignContext): Promise<void> {
  const prng = new Prng(context.seed)
  const outer = mkdtempSync(join(tmpdir(), 'varve-locks-'))
  const racers = Array.from({ length: PROCESSES + THREADS }, (_, i) => new Racer(i < PROCESSES))
  try {
    for (let round = 0, directories = 0; !context.isOver(); round++) {
      // Two that wrote together leave nothing to go on with.
      const isSpent = await runRound(context, racers, join(outer, String(directories)), prng)
      if (isSpent || round % 16 === 0) directories++
    }
  } finally {
    await Promise.all(racers.map((racer) => racer.stop()))
    rmSync(outer, { recursive: true, force: true })
  }
}

/** @returns whether the directory is spoilt */
async function runRound(
  context: CampaignContext,
  racers: readonly Racer[],
  directory: string,
  prng: Prng,
): Promise<boolean> {
  const isMixed = prng.below(4) === 0
  const starts = racers.map(
    ({ isProcess }): Start => ({
      directory,
      engine: isMixed && isProcess && prng.below(2) === 0 ? 'classic-level' : 'varve',
    }),
  )
  const answers = await Promise.all(racers.map((racer, i) => racer.ask(starts[i])))
  context.count(isMixed ? 'races with LevelDB' : 'races of varves')
  context.count('openings', racers.length)
  const holders = racers.map((_, i) => i).filter((i) => answers[i] === 'held')
  const varves = holders.filter((i) => starts[i].engine === 'varve').length
  const levels = holders.length - varves
  const said = answers.map((answer, i) => `${starts[i].engine}: ${answer}`).join(', ')
  if (varves > 1 || levels > 1) context.finding('two hold one directory', said, undefined)
  if (varves > 0 && levels > 0) context.count('held by a varve, and by a LevelDB that came later')
  if (holders.length === 0 && !isMixed) context.finding('nobody gets the directory', said, undefined)
  // What LevelDB finds while a varve writes its first files is not a lock; it is let in without the package.
  const wrong = answers.some(
    (answer, i) => answer !== 'held' && !REFUSALS.includes(answer) && starts[i].engine === 'varve',
  )
  if (wrong && !isMixed) context.finding('refused with another error than LOCKED', said, undefined)
  for (const i of holders) {
    if (racers[i].isProcess && prng.below(8) === 0) {
      await racers[i].replace()
      context.count('holders killed')
    } else await racers[i].ask('release')
  }
  // A LevelDB that was let in beside a varve has written as well, though one of them failed or was sooner done.
  return isMixed || holders.length > 1
}
