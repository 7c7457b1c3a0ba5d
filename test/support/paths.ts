/**
 * Where things are in the source tree. Tests run compiled, from .build/, while their data stays beside their sources:
 * a path is therefore taken from the repository's root, never from the running module.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)))

/** The nearest directory above with the lockfile: .build/ holds none. */
function findRoot(start: string): string {
  let directory = start
  while (!existsSync(join(directory, 'package-lock.json'))) {
    const parent = dirname(directory)
    if (parent === directory) throw new Error(`no repository above ${start}`)
    directory = parent
  }
  return directory
}

/** An absolute path in the repository; without arguments, its root. */
export function repository(...parts: string[]): string {
  return join(ROOT, ...parts)
}

/** An absolute path in test/testdata of the source tree. */
export function testdata(...parts: string[]): string {
  return repository('test', 'testdata', ...parts)
}
