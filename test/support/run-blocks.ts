/**
 * A process that runs modules one after another: each is begun when the one before has ended, and nothing that it started
 * is under way. A line of MARK comes before the output of each.
 *
 *   node run-blocks.js MODULE…
 */
import { fileURLToPath, pathToFileURL } from 'node:url'

export const MARK = '\u0001'

function run(modules: string[]): void {
  let isEnded = true
  process.on('beforeExit', () => {
    if (!isEnded) fail(`${modules[0]} waits for what never comes`)
    if (modules.length === 0) return
    process.stdout.write(`${MARK}\n`)
    isEnded = false
    import(pathToFileURL(modules[0]).href).then(() => {
      modules.shift()
      isEnded = true
    }, fail)
  })
}

function fail(error: unknown): never {
  console.error(error)
  process.exit(1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(process.argv.slice(2))
