/**
 * A program for the lock's tests, run as a process or as a thread: takes the lock of a directory, as varve or as LevelDB
 * (classic-level), tells how that went in one line, and holds it until its input ends, or for ever.
 *
 *   lock-opener varve|looker|level DIRECTORY        looker: varve, to change nothing
 */
import { parentPort } from 'node:worker_threads'
import { nodeEnvironment } from '../../src/env/node-env.ts'

const [kind, directory] = process.argv.slice(2)

async function take(): Promise<string> {
  try {
    if (kind === 'level') await openLevel()
    else await nodeEnvironment().files.lock(directory, kind === 'looker')
    return 'held'
  } catch (error) {
    const { code, cause, message } = error as Error & { code: string; cause?: Error & { code: string } }
    return `${cause?.code ?? code} ${message}`
  }
}

/** Its native code is loaded only here, since it is not for every system that a test may claim to be. */
async function openLevel(): Promise<void> {
  const { ClassicLevel } = await import('classic-level')
  await new ClassicLevel(directory).open()
}

const answer = await take()
if (parentPort === null) {
  console.log(answer)
  process.stdin.resume()
  process.stdin.on('end', () => process.exit())
} else {
  parentPort.on('message', () => {})
  parentPort.postMessage(answer)
}
