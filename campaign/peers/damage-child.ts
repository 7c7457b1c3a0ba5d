/**
 * A process that makes a database with an engine, or opens damaged copies of it and says what came of each. It may be brought
 * down by what it opens: that is what is being counted.
 *
 *   damage-child ENGINE BASE make        200 records, half of them in tables where there are tables; then it is killed
 *   damage-child ENGINE BASE open        takes { index, files } messages, and answers { index, outcome }
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EngineName, openEngine } from '../engines/engine.ts'
import { RECORDS, record } from './records.ts'

/** What an opening comes to. */
export type PeerOutcome = 'right' | 'refused' | 'refused at a read' | 'loss reported' | 'silently wrong'

export interface OpenRequest {
  readonly index: number
  readonly files: Readonly<Record<string, string>>
}

const [engineName, base, command] = process.argv.slice(2)
const name = engineName as EngineName

async function make(): Promise<void> {
  mkdirSync(base, { recursive: true })
  let engine = await openEngine(name, base)
  for (let i = 0; i < RECORDS; i++) {
    // Reopening moves what is in a log to a table.
    if (i === RECORDS / 2) {
      await engine.close()
      engine = await openEngine(name, base)
    }
    await engine.write({ puts: [record(i)] }, 'disk')
  }
  process.kill(process.pid, 'SIGKILL')
}

async function openDamaged({ files }: OpenRequest): Promise<PeerOutcome> {
  const directory = join(`${base}-copy`)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { mode: 0o700 })
  for (const [file, base64] of Object.entries(files))
    writeFileSync(join(directory, file), Buffer.from(base64, 'base64'))
  let engine: Awaited<ReturnType<typeof openEngine>>
  try {
    engine = await openEngine(name, directory)
  } catch {
    return 'refused'
  }
  try {
    const isRight = await holdsAll(engine)
    if (isRight) return 'right'
    return engine.saidLoss ? 'loss reported' : 'silently wrong'
  } catch {
    return 'refused at a read'
  } finally {
    await engine.close().catch(() => {})
  }
}

async function holdsAll(engine: Awaited<ReturnType<typeof openEngine>>): Promise<boolean> {
  let isRight = true
  let failure: unknown
  for (let i = 0; i < RECORDS; i++) {
    const [key, value] = record(i)
    // A read that fails does not spare the others.
    const found = await engine.get(key).catch((error: unknown) => {
      failure = error
      return value
    })
    if (found !== value) isRight = false
  }
  let count = 0
  try {
    for await (const [key, value] of engine.entries()) {
      const [expectedKey, expectedValue] = record(count++)
      if (key !== expectedKey || value !== expectedValue) isRight = false
    }
    if (count !== RECORDS) isRight = false
  } catch (error) {
    failure = error
  }
  if (!isRight) return false
  if (failure !== undefined) throw failure
  return true
}

if (command === 'make') await make()
else {
  process.on('message', async (request: OpenRequest) => {
    process.send?.({ index: request.index, outcome: await openDamaged(request) })
  })
}
