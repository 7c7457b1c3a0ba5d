/**
 * Openers: processes of lock-opener, each of which takes the lock of a directory, or tells why it cannot.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const OPENER: string = fileURLToPath(new URL('./lock-opener.js', import.meta.url))

export interface Opener {
  readonly child: ChildProcess
  /** What it tells: `held`, or an error's code and message. */
  readonly line: string
}

/**
 * Starts one, and waits for its line.
 * @param node how Node is started: a command and its arguments
 * @param children where it is noted, for whoever ends them all
 */
export async function startOpener(
  kind: 'varve' | 'looker' | 'level',
  directory: string,
  node: readonly string[],
  children: ChildProcess[],
): Promise<Opener> {
  const [command, ...args] = [...node, OPENER, kind, directory]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const [chunk] = await once(child.stdout, 'data')
  return { child, line: String(chunk).trim() }
}
