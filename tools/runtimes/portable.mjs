/**
 * portable: runs test files, compiled, in this one process, under whatever runs this file with node:test.
 *
 *   portable FILE…
 */
import { pathToFileURL } from 'node:url'

for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href)
