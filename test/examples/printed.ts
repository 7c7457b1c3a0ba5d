/**
 * What an example prints, once it has ended well.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { repository } from '../support/paths.ts'

/** The lines that `npm run example:NAME` prints. */
export function printed(name: string, ...args: readonly string[]): string[] {
  const main = repository('.build', 'examples', name, 'main.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(status, 0, stderr)
  return stdout.trimEnd().split('\n')
}
