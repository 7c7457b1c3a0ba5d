/**
 * Program: the compiled modules of src/memtable, copied to a directory of their own: over explored memory, so that every
 * access to the arena is a step (explored-globals.ts), or with a mutation, to see whether a test notices. But for these, it is
 * what the package ships: the text is not parsed. Of base, what makes the memory is copied, too; the rest is shared with
 * everybody else.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'

type MemTableModule = typeof import('../../src/memtable/memtable.ts')
type ArenaModule = typeof import('../../src/memtable/arena.ts')
type CountersModule = typeof import('../../src/memtable/table-counters.ts')

/** The classes of a copy. */
export type Program = MemTableModule & ArenaModule & CountersModule

/** A change of one module's text. */
export interface Mutation {
  /** Of src/memtable, without its ending. */
  readonly module: string
  /** Occurs exactly once in the compiled module. */
  readonly from: string
  readonly to: string
}

const SOURCES = new URL('../../src/memtable/', import.meta.url)
const BASE = new URL('../../src/base/', import.meta.url)
const MEMORY = 'shared-memory.js'
const GLOBALS = new URL('./explored-globals.js', import.meta.url)
const SHADOWED = `import { Atomics, DataView, Int32Array, SharedArrayBuffer, Uint8Array } from '${GLOBALS.href}';\n`

/** The modules themselves. */
export const SHIPPED: string = SOURCES.href

/** All copies of this process. */
const directory = mkdtempSync(join(tmpdir(), 'varve-program-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
let copies = 0

/**
 * Copy the modules.
 * @param isExplored whether their shared memory is to be explored
 * @returns URL of the copy, for `load`, on any thread while this process lives
 */
export function copyProgram(mutations: readonly Mutation[], isExplored: boolean): string {
  const copy = join(directory, String(copies++))
  mkdirSync(copy)
  writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
  const modules = readdirSync(SOURCES).filter((name) => name.endsWith('.js'))
  for (const url of [new URL(MEMORY, BASE), ...modules.map((name) => new URL(name, SOURCES))]) {
    const name = basename(url.pathname)
    const linked = mutated(name, readFileSync(url, 'utf8'), mutations)
      .replaceAll(`'../base/${MEMORY}'`, `'./${MEMORY}'`)
      .replaceAll(/(from|import) '\.\.\/base\//g, `$1 '${BASE.href}`)
      .replace(/\n\/\/# sourceMappingURL=.*\n*$/, '\n')
    writeFileSync(join(copy, name), isExplored ? SHADOWED + linked : linked)
  }
  return pathToFileURL(`${copy}/`).href
}

export async function loadProgram(url: string): Promise<Program> {
  const [memtable, arena, counters] = await Promise.all([
    import(`${url}memtable.js`) as Promise<MemTableModule>,
    import(`${url}arena.js`) as Promise<ArenaModule>,
    import(`${url}table-counters.js`) as Promise<CountersModule>,
  ])
  return { ...memtable, ...arena, ...counters }
}

/** All changes at once, each of the text as it was. */
function mutated(name: string, text: string, mutations: readonly Mutation[]): string {
  const changes = mutations
    .filter(({ module }) => `${module}.js` === name)
    .map(({ from, to }) => {
      assert.equal(text.split(from).length, 2, `${name} has this text exactly once: ${from}`)
      return { from, to, at: text.indexOf(from) }
    })
    .sort((a, b) => b.at - a.at)
  return changes.reduce((rest, { from, to, at }) => rest.slice(0, at) + to + rest.slice(at + from.length), text)
}
