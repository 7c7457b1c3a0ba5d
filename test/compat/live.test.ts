/**
 * Reading beside a live LevelDB process that writes and compacts: each read-only opening sees one state, no older than what
 * had been acknowledged when it began; or it says that what it reads from is gone. And whatever moment LevelDB is killed at,
 * varve takes over, and LevelDB after it.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type DB, open } from '../../src/public/index.ts'
import { openLevel, withDirectory } from './engines.ts'
import { COUNTERS, contentAfter, digits } from './live-batches.ts'

const WRITER = fileURLToPath(new URL('./live-writer.js', import.meta.url))

class Writer {
  /** The last batch that was told of, or −1. */
  last = -1
  readonly #child: ChildProcess

  constructor(directory: string) {
    this.#child = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    this.#child.stdout?.on('data', (chunk) => {
      text = (text + chunk).slice(-40)
      const lines = text.split('\n')
      if (lines.length > 1) this.last = Number(lines.at(-2))
    })
  }

  /** Until it has written so many batches. */
  async until(count: number): Promise<void> {
    while (this.last < count) {
      assert.equal(this.#child.exitCode, null, 'the writer lives')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

/** @returns the last batch that the database holds, having checked that it holds exactly what all batches up to it left */
function checkState(db: DB): number {
  const content = new Map(Array.from(db.scanSync(), ([key, value]) => [text(key), text(value)]))
  const last = Number(content.get(COUNTERS[0]) ?? -1)
  assert.deepEqual(
    content,
    last < 0 ? new Map() : new Map([...contentAfter(last)].sort(([a], [b]) => (a < b ? -1 : 1))),
  )
  for (const key of COUNTERS) assert.equal(text(db.getSync(key) ?? new Uint8Array()), digits(last))
  return last
}

test('read-only openings beside a LevelDB process that writes and compacts see one state each, or say that it is gone', async (t) => {
  await withDirectory(async (directory) => {
    const writer = new Writer(directory)
    const counts = { whole: 0, stale: 0 }
    try {
      await writer.until(700)
      for (let opening = 0; opening < 40; opening++) {
        const acknowledged = writer.last
        const db = await open(directory, { readOnly: true, maxOpenFiles: 16 })
        try {
          const first = checkState(db)
          assert.ok(first >= acknowledged, `opening ${opening}: ${first} is older than ${acknowledged}`)
          counts.whole++
          await writer.until(writer.last + 20 * (opening % 8))
          assert.equal(checkState(db), first, 'the state of the opening, later too')
        } catch (error) {
          if ((error as { code?: unknown }).code !== 'STALE') throw error
          counts.stale++
        } finally {
          await db.close()
        }
      }
    } finally {
      await writer.kill()
    }
    t.diagnostic(JSON.stringify(counts))
    assert.ok(counts.whole > 10, `${counts.whole} openings could be read`)
  })
})

test('a LevelDB process that is killed leaves what varve goes on with, and LevelDB after it, over and over', async () => {
  await withDirectory(async (directory) => {
    let next = 0
    for (let life = 0; life < 5; life++) {
      const writer = new Writer(directory)
      await writer.until(next + 150 + 97 * life)
      await writer.kill()
      const db = await open(directory, { writeBufferBytes: 16 * 1024, maxFileBytes: 32 * 1024, levelBytes: 64 * 1024 })
      const last = checkState(db)
      assert.ok(last >= writer.last, `life ${life}: ${last} is older than ${writer.last}`)
      for (next = last + 1; next < last + 200; next++) {
        const edits = [...contentAfter(next)].filter(([, value]) => value.startsWith(digits(next)))
        for (const [key, value] of edits) await db.put(key, value)
      }
      next--
      if (life % 2 === 0) await db.compactRange()
      await db.close()
      const level = await openLevel(directory)
      assert.equal((await level.content()).length, contentAfter(next).size)
      await level.close()
    }
  })
})
