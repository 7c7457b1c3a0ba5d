/** The priorities of a process's threads, as Linux shows them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'

const VARVE = fileURLToPath(new URL('../../src/public/index.js', import.meta.url))

/**
 * Required where that can be, so that nothing has been loaded by libuv's pool before. The compaction makes two large tables, the first
 * of which it syncs by that pool. Prints how many steps each thread is below the first one.
 */
const PROGRAM = `
const { readdirSync, readFileSync, stat } = require('node:fs')
const { pathToFileURL } = require('node:url')
const VARVE = ${JSON.stringify(VARVE)}
const nice = (thread) => Number(readFileSync('/proc/self/task/' + thread + '/stat', 'latin1').split(') ').at(-1).split(' ')[16])
async function main([directory, workers]) {
  const { open } = process.features.require_module ? require(VARVE) : await import(pathToFileURL(VARVE).href)
  const db = await open(directory, { workers: Number(workers), maxFileBytes: 65536, compression: 'none' })
  for (const letter of ['a', 'b']) {
    for (const key of ['first', 'second']) db.putSync(key, letter.repeat(3000000))
    await db.flush()
  }
  await db.compactRange()
  // If nobody has started the pool yet, this does.
  await new Promise((resolve) => stat('.', resolve))
  const threads = readdirSync('/proc/self/task')
  const steps = threads.map((thread) => nice(thread) - nice(process.pid))
  console.log(JSON.stringify(steps.filter((step) => step !== 0)))
  await db.close()
}
main(process.argv.slice(1))`

function lowered(workers: number, before: readonly string[] = []): unknown {
  const directory = mkdtempSync(join(tmpdir(), 'varve-priority-'))
  try {
    const [command, ...rest] = [...before, process.execPath, '-e', PROGRAM, directory, String(workers)]
    return JSON.parse(execFileSync(command, rest, { timeout: 300_000 }).toString())
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What a thread that is lowered from the priority `from` should show. */
function stepsFrom(from: number): number[] {
  return from === 19 ? [] : [Math.min(19, from + 5) - from]
}

const skip = process.platform !== 'linux' && 'only Linux has priorities of threads'

it('of all threads of a process, the one that compacts has a lower priority, and no other', { skip }, () => {
  assert.deepEqual(lowered(2), stepsFrom(getPriority()))
})

it('a thread that flushes as well as compacts keeps its priority', { skip }, () => {
  assert.deepEqual(lowered(1), [])
})

it('a process of a low priority has a thread of the lowest, and none above its own', { skip }, () => {
  assert.deepEqual(lowered(2, ['nice', '-n', '15']), stepsFrom(Math.min(19, getPriority() + 15)))
})
