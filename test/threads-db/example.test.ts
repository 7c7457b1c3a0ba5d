/**
 * The example of threads runs to its end.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('the example of reading threads sees whole batches, and the last one', () => {
  const program = fileURLToPath(new URL('../../examples/threads/main.js', import.meta.url))
  const run = spawnSync(process.execPath, [program], { encoding: 'utf8', timeout: 60_000 })
  assert.equal(run.status, 0, run.stderr)
  assert.equal(run.stdout.match(/scans, the last one with an average of 500/g)?.length, 2, run.stdout)
})
