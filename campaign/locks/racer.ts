/**
 * A racer: opens and closes directories when it is told to, as varve or as LevelDB, in a process or on a thread.
 *
 * Told { directory, engine } it answers 'held', or the code of the error; told 'release' it answers 'released'.
 */
import { parentPort } from 'node:worker_threads'
import { open } from '../../src/db/open.ts'
import { newNativeLevel } from '../engines/level-engine.ts'

export interface Start {
  readonly directory: string
  readonly engine: 'varve' | 'classic-level'
}

let held: { close(): Promise<void> } | undefined

async function take({ directory, engine }: Start): Promise<string> {
  try {
    if (engine === 'varve') held = await open(directory, { writeBufferBytes: 16 * 1024, workers: 0 })
    else {
      const level = newNativeLevel(directory)
      await level.open()
      held = level
    }
    return 'held'
  } catch (error) {
    const { code, cause } = error as Error & { code?: string; cause?: { code?: string } }
    return cause?.code ?? code ?? String(error)
  }
}

async function answer(message: Start | 'release'): Promise<string> {
  if (message !== 'release') return take(message)
  await held?.close()
  held = undefined
  return 'released'
}

if (parentPort === null)
  process.on('message', async (message: Start | 'release') => process.send?.(await answer(message)))
else parentPort.on('message', async (message: Start | 'release') => parentPort?.postMessage(await answer(message)))
