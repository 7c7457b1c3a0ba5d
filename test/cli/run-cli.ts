/**
 * Runs the compiled command line tool, as a user's shell would.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { repository } from '../support/paths.ts'

export const CLI_PATH: string = repository('.build', 'src', 'cli', 'main.js')

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Run to the end with `input` on stdin. */
export function runWith(input: string | Uint8Array, ...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI_PATH, ...args], { input, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** Run to the end with nothing on stdin. */
export function run(...args: string[]): Ran {
  return runWith('', ...args)
}

/** Run to the end; fails if it does. @returns stdout */
export function succeed(...args: string[]): string {
  const { status, stdout, stderr } = run(...args)
  if (status !== 0) throw new Error(`varve ${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}

/** Run with a reader of stdout that goes away after its first piece. */
export async function runUnread(...args: string[]): Promise<Pick<Ran, 'status' | 'stderr'>> {
  const child = spawn(process.execPath, [CLI_PATH, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [status] = await once(child, 'close')
  return { status, stderr }
}

/** A path in a temporary directory that goes away with the test; nothing is there yet. */
export function temporaryPath(context: TestContext, name: string = 'data'): string {
  const directory = mkdtempSync(join(tmpdir(), 'varve-cli-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, name)
}
