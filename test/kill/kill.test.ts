/**
 * kill -9, many times over, on one directory: whatever moment it strikes, opening, writing, rotating or flushing, the next
 * opening finds every acknowledged batch, each batch whole, and no hole between them.
 *
 * The test itself opens the directory after each kill: half of the time to read only, so that the next life recovers from
 * what the kill left. VARVE_SEED repeats the moments as far as they can be; VARVE_KILLS sets the number of kills.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Prng } from '../../src/base/prng.ts'
import { type DB, open } from '../../src/public/index.ts'
import { batchKey, batchValue, COUNTERS, digits } from './batches.ts'

const WRITER = fileURLToPath(new URL('./writer.js', import.meta.url))
const KIB = 1024
/** Batches before the last that are looked at after each kill; all of them are at the end. */
const RECENT = 3000

const seed = Number(process.env.VARVE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const kills = Number(process.env.VARVE_KILLS ?? 100)

interface Life {
  /** The last number that the writer told, or −1. */
  readonly acknowledged: number
  readonly stderr: string
  /** What ended it. */
  readonly signal: string | null
}

class Campaign {
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'varve-kill-'))
  readonly #durability: string
  readonly #prng: Prng
  /** Batches that must be there. */
  #acknowledged = -1
  readonly counts: Record<string, number> = { lives: 0, silentLives: 0, replayed: 0, tables: 0, batches: 0 }

  constructor(durability: string, prng: Prng) {
    this.#durability = durability
    this.#prng = prng
  }

  async run(lives: number): Promise<void> {
    for (let i = 0; i < lives; i++) {
      const life = await this.#live()
      assert.equal(life.signal, 'SIGKILL', `life ${i} ended by itself: ${life.stderr}`)
      this.counts.lives++
      if (life.acknowledged < 0) this.counts.silentLives++
      this.#acknowledged = Math.max(this.#acknowledged, life.acknowledged)
      await this.#verify(RECENT, this.#prng.below(2) === 0)
    }
    await this.#verify(Number.POSITIVE_INFINITY, false)
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Start a writer and kill it: mostly while it writes, sometimes while it starts and recovers. */
  #live(): Promise<Life> {
    const writeBufferBytes = [64, 64, 256, 1024][this.#prng.below(4)] * KIB
    const args = [WRITER, this.#directory, this.#durability, String(writeBufferBytes), String(this.#prng.next32())]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
    const isEarly = this.#prng.below(5) === 0
    const delayMs = isEarly ? 40 + this.#prng.below(80) : 20 + this.#prng.below(140)
    if (isEarly) setTimeout(() => child.kill('SIGKILL'), delayMs)
    return watch(child, () => {
      if (!isEarly) setTimeout(() => child.kill('SIGKILL'), delayMs)
    })
  }

  async #verify(recent: number, readOnly: boolean): Promise<void> {
    const db = await open(this.#directory, { readOnly, createIfMissing: true, workers: 0 }).catch((error) => {
      // Killed before there was a database; a read-only opening makes none.
      if (readOnly && error.code === 'NOT_FOUND' && this.#acknowledged < 0) return undefined
      throw error
    })
    if (db === undefined) return
    try {
      this.counts.replayed += db.recoveryInfo.entries
      this.counts.tables = db.stats().tables.length
      this.counts.batches = verifyBatches(db, this.#acknowledged, recent)
    } finally {
      await db.close()
    }
  }
}

/** Calls `onFirst` once the writer has told its first number. */
function watch(child: ChildProcess, onFirst: () => void): Promise<Life> {
  let told = ''
  let stderr = ''
  const pipe = child.stdio[3] as Readable
  pipe.setEncoding('utf8').on('data', (chunk: string) => {
    if (told === '') onFirst()
    // The last whole line is all that counts.
    told = (told + chunk).slice(-64)
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => {
      const line = told.split('\n').at(-2) ?? ''
      resolve({ acknowledged: line === '' ? -1 : Number(line), stderr, signal })
    })
  })
}

/** @returns how many batches there are */
function verifyBatches(db: DB, acknowledged: number, recent: number): number {
  const decoder = new TextDecoder()
  const counters = db.getManySync(COUNTERS).map((value) => (value === undefined ? 'none' : decoder.decode(value)))
  assert.equal(new Set(counters).size, 1, `half a batch is there: ${counters.join(', ')}`)
  const last = counters[0] === 'none' ? -1 : Number(counters[0])
  assert.ok(last >= acknowledged, `batch ${acknowledged} was acknowledged, but the last one there is ${last}`)
  let expected = Math.max(0, last + 1 - recent)
  for (const [key, value] of db.scanSync({ gte: batchKey(expected), lt: 'batch0' })) {
    assert.equal(decoder.decode(key), batchKey(expected), `batch ${digits(expected)} is missing`)
    assert.equal(decoder.decode(value), batchValue(expected))
    expected++
  }
  assert.equal(expected, last + 1, 'the batches end where the counters say')
  return last + 1
}

describe(`after kill -9 (VARVE_SEED=${seed})`, { concurrency: true }, () => {
  const prng = new Prng(seed)
  const campaigns = [
    ['os', Math.ceil(kills * 0.6), prng.next32()],
    ['disk', Math.floor(kills * 0.4), prng.next32()],
  ] as const
  for (const [durability, lives, campaignSeed] of campaigns) {
    it(`a database at '${durability}' has every acknowledged batch, whole and without holes`, async (t) => {
      const campaign = new Campaign(durability, new Prng(campaignSeed))
      try {
        await campaign.run(lives)
        t.diagnostic(`seed ${seed}, ${durability}: ${JSON.stringify(campaign.counts)}`)
        if (lives >= 10)
          assert.ok(campaign.counts.replayed > 0 && campaign.counts.tables > 0, 'the kills hit something')
      } finally {
        campaign.dispose()
      }
    })
  }
})
