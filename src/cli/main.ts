/**
 * The `varve` command. Reads the command line, runs one command, and ends with an exit code (exit.ts); every error is one
 * line on stderr.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommanderError } from 'commander'
import { EXIT_USAGE, exitCodeOf, isClosedPipe, messageOf } from './exit.ts'
import { Output } from './output.ts'
import { createProgram } from './program.ts'

/** The version of the package that this file belongs to, compiled or bundled. */
function packageVersion(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory)
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version
}

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  const output = new Output(process.stdout)
  process.stderr.on('error', () => {})
  try {
    await createProgram(packageVersion(), output).parseAsync(args, { from: 'user' })
    await output.flush()
    return 0
  } catch (error) {
    return report(error)
  }
}

function report(error: unknown): number {
  if (isClosedPipe(error)) return 0
  if (!(error instanceof CommanderError)) {
    process.stderr.write(messageOf(error))
    return exitCodeOf(error)
  }
  // Help and version have been printed already.
  if (error.exitCode === 0) return 0
  if (error.code !== 'commander.help') process.stderr.write(messageOf(misuse(error)).replace('error: ', ''))
  return EXIT_USAGE
}

/** A key may look like an option. */
function misuse(error: CommanderError): Error {
  if (error.code !== 'commander.unknownOption' || error.message.includes('Did you mean')) return error
  return new Error(`${error.message}; if it is a key or a value, put -- before it`)
}

process.exitCode = await main(process.argv.slice(2))
