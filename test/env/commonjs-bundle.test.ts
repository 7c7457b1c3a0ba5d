/**
 * A bundle of CommonJS, which does not know where it is: jobs run on the calling thread, or in the program that it is told of.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { build } from 'esbuild'
import { repository } from '../support/paths.ts'

const outer = mkdtempSync(join(tmpdir(), 'varve-commonjs-'))
after(() => rmSync(outer, { recursive: true, force: true }))

const PROGRAM = `
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { nodeEnvironment, open } = require(${JSON.stringify(repository('.build', 'src', 'public', 'index.js'))})

async function main([directory, worker]) {
  const environment = nodeEnvironment(worker === undefined ? {} : { worker: pathToFileURL(join(__dirname, worker)) })
  const threads = []
  const startWorker = environment.startWorker.bind(environment)
  environment.startWorker = () => {
    const thread = startWorker()
    threads.push(thread !== undefined)
    return thread
  }
  const db = await open(directory, { environment })
  await db.put('a', '1')
  await db.flush()
  console.log(Buffer.from(await db.get('a')).toString(), db.stats().flushes, threads.includes(true))
  await db.close()
}
main(process.argv.slice(2))
`

test('a bundle of CommonJS reads and writes, with the worker program that it is given and without one', async () => {
  writeFileSync(join(outer, 'app.cjs'), PROGRAM)
  await build({
    entryPoints: { app: join(outer, 'app.cjs'), worker: repository('.build', 'src', 'worker', 'worker-main.js') },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outdir: join(outer, 'out'),
    outExtension: { '.js': '.cjs' },
    external: ['fs-native-extensions'],
    logLevel: 'silent',
  })
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [join(outer, 'out', 'app.cjs'), ...args], { encoding: 'utf8' }).trim()
  assert.equal(run(join(outer, 'inline')), '1 1 false')
  assert.equal(run(join(outer, 'threads'), 'worker.cjs'), '1 1 true')
})
