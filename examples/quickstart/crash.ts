/**
 * Runs the writer in a process of its own and kills it in the middle of its work. SIGKILL cannot be caught: nothing is
 * flushed, closed or said good-bye to.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Acknowledged } from './writer.ts'

export interface Crash {
  /** Cities that the writer had reported as acknowledged. */
  readonly acknowledged: number
  readonly pid: number
  readonly signal: NodeJS.Signals | null
}

/**
 * @param killAt acknowledged cities at which the writer is killed
 * @param onProgress called with the number of acknowledged cities
 */
export async function writeUntilKilled(
  directory: string,
  writeBufferBytes: number,
  killAt: number,
  onProgress: (acknowledged: number) => void,
): Promise<Crash> {
  const child = fork(fileURLToPath(new URL('writer.js', import.meta.url)), [directory, String(writeBufferBytes)])
  let acknowledged = 0
  child.on('message', (message) => {
    acknowledged = (message as Acknowledged).count
    onProgress(acknowledged)
    if (acknowledged >= killAt) child.kill('SIGKILL')
  })
  // After `close` no message can follow: what was still in the pipe has been counted.
  const [, signal] = await once(child, 'close')
  return { acknowledged, pid: child.pid ?? 0, signal }
}
