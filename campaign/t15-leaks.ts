/**
 * T15, leaks: a database is opened, used and closed over and over, and an opening is made to fail at each of its calls in turn;
 * afterwards this process has as many descriptors and handles as before, and hardly more memory.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from '../src/db/open.ts'
import { nodeEnvironment } from '../src/env/node-env.ts'
import { FaultEnvironment } from '../test/support/fault-env.ts'
import { descriptors, residentBytes, resources, settle } from './bounds/process-figures.ts'
import type { Campaign, CampaignContext } from './campaign.ts'

/** Cycles between two looks. */
const CYCLES = 20
/** Memory is given back late, and compiled code is kept. */
const GROWTH_BYTES = 96 * 1024 * 1024

export const LEAKS: Campaign = {
  name: 't15-leaks',
  title: 'openings, including those that fail, leave nothing behind',
  ciSeconds: 10,
  longShare: 1,
  run,
}

async function run(context: CampaignContext): Promise<void> {
  const outer = mkdtempSync(join(tmpdir(), 'varve-leaks-'))
  try {
    await cycle(context, join(outer, 'warm'), 0)
    await settle()
    // Threads have the process make its streams, which stay.
    assert.equal([process.stdout, process.stderr].length, 2)
    const before = held()
    let resident = 0
    for (let round = 0; !context.isOver(); round++) {
      for (let i = 0; i < CYCLES && !context.isOver(); i++)
        await cycle(context, join(outer, String(round % 3)), round * CYCLES + i)
      const after = await settled(before)
      if (JSON.stringify(after) !== JSON.stringify(before)) {
        context.finding('left behind', `${JSON.stringify(before)} before, ${JSON.stringify(after)} after`, undefined)
        return
      }
      if (round === 4) resident = residentBytes()
      if (round > 4 && residentBytes() > resident + GROWTH_BYTES)
        return context.finding('memory grows', `${resident} bytes, then ${residentBytes()}`, undefined)
    }
  } finally {
    rmSync(outer, { recursive: true, force: true })
  }
}

interface Held {
  readonly descriptors: number | undefined
  readonly resources: string
}

function held(): Held {
  return { descriptors: descriptors(), resources: resources() }
}

/** What is held once it is what it was, or after all patience: threads end when the system has the time. */
async function settled(before: Held): Promise<Held> {
  for (let left = 100; left > 0 && JSON.stringify(held()) !== JSON.stringify(before); left--) await settle()
  return held()
}

/** Open, use, close; then fail at one more call than the last time. */
async function cycle(context: CampaignContext, directory: string, index: number): Promise<void> {
  const workers = index % 3
  const db = await open(directory, { writeBufferBytes: 16 * 1024, workers })
  for (let i = 0; i < 20; i++) db.putSync(`key/${i}`, `${index}`.padEnd(400, '.'))
  const iterator = db.scanSync()[Symbol.iterator]()
  iterator.next()
  const snapshot = db.snapshot()
  db.getSync('key/7', { snapshot })
  if (index % 2 === 0) await db.flush()
  // Half of the time the snapshot and the iterator are left to close().
  if (index % 4 < 2) {
    snapshot.close()
    iterator.return?.()
  }
  await db.close()
  context.count('databases opened and closed')
  const environment = new FaultEnvironment(nodeEnvironment(), { directory, countReads: true })
  let calls = 0
  environment.setFaults(() => (calls++ === index % 60 ? { code: 'EIO' } : undefined))
  const opened = await open(directory, { writeBufferBytes: 16 * 1024, environment }).catch(() => undefined)
  environment.setFaults(undefined)
  await opened?.close().catch(() => {})
  context.count(opened === undefined ? 'openings that failed' : 'openings whose fault came late')
}
