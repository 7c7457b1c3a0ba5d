/**
 * What the documents show, works. A document is followed from top to bottom, in one directory:
 *
 *   ts    compiled as it stands, strictly, with `varve` standing for what a user of the package would import, and run to
 *         its end with status 0. What it prints includes the line `red` for each `console.log(…) // red`, in this order;
 *         for several lines of one call, `// red, blue`
 *   sh    its lines that begin with `npx varve` are run by a shell, and all end with status 0; npm scripts exist
 *   text  right behind a block of these: all that it printed
 *
 * `…` in what is printed stands for anything.
 * Blocks of another language are not looked at. Blocks of `ts` that follow one another share a process.
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { resolveOptions } from '../src/db/options.ts'
import * as varve from '../src/public/index.ts'
import { nodeEnvironment, VarveError } from '../src/public/index.ts'
import * as memtable from '../src/public/memtable.ts'
import { type Block, blocksOf } from './support/markdown.ts'
import { repository } from './support/paths.ts'
import { MARK } from './support/run-blocks.ts'

/** What `import … from` means in a block: the compiled sources. */
const MODULES: ReadonlyMap<string, string> = new Map(
  Object.entries(manifest().exports).map(([entry, target]) => [
    entry.replace('.', 'varve'),
    repository('.build', 'src', ...(typeof target === 'string' ? target : target.default).split('/').slice(2)),
  ]),
)
const CLI = repository('.build', 'src', 'cli', 'main.js')
const RUNNER = repository('.build', 'test', 'support', 'run-blocks.js')
const TIMEOUT_MS = 120_000
const CITIES = [
  { country: 'FR', name: 'Paris', population: 2138551 },
  { country: 'CH', name: 'Zürich', population: 341730 },
]
/** npm's own commands, which are no scripts. */
const NPM_COMMANDS = ['ci', 'install', 'ls', 'publish', 'uninstall']

function manifest(): {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
  readonly scripts: object
} {
  return JSON.parse(readFileSync(repository('package.json'), 'utf8'))
}

function documents(): string[] {
  const top = readdirSync(repository()).filter((name) => name.endsWith('.md'))
  const docs = readdirSync(repository('docs'), { recursive: true, encoding: 'utf8' })
  return [...top, ...docs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name))].sort()
}

interface Program {
  readonly block: Block
  readonly module: string
}

/** Inside the repository, so that packages are found. */
const workshop: string = repository('.build', `documents-${process.pid}`)
const scratch: string = mkdtempSync(join(tmpdir(), 'varve-documents-'))
const blocks: ReadonlyMap<string, readonly Block[]> = new Map(documents().map((name) => [name, blocksOf(name)]))
const programs: readonly Program[] = [...blocks.values()]
  .flat()
  .filter(({ language }) => language === 'ts')
  .map((block, i) => ({ block, module: join(workshop, `block${i}.js`) }))

after(() => {
  rmSync(workshop, { recursive: true, force: true })
  rmSync(scratch, { recursive: true, force: true })
})

/** Compile all programs together. */
function compile(): string {
  mkdirSync(workshop, { recursive: true })
  for (const { block, module } of programs) {
    const code = block.text.replace(
      /\bfrom '(varve(?:\/\w+)?)'/g,
      (_, name: string) => `from '${MODULES.get(name) ?? name}'`,
    )
    // A module, even if it imports nothing.
    writeFileSync(module.replace(/\.js$/, '.ts'), `${code}\nexport {}\n`)
  }
  const { target, module, lib, strict, exactOptionalPropertyTypes } = repositoryOptions()
  // As `tsc --init` has it.
  const checks = { strict, exactOptionalPropertyTypes, noUncheckedIndexedAccess: true }
  const options = { target, module, lib, ...checks, types: ['node'], skipLibCheck: true }
  writeFileSync(join(workshop, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
  const tsc = repository('node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', workshop], { encoding: 'utf8' })
  const places = programs.map(({ block }, i) => `block${i} is ${block.place}`).join('\n')
  return status === 0 ? '' : `${places}\n${stdout}`
}

function repositoryOptions(): Record<string, unknown> {
  return JSON.parse(readFileSync(repository('tsconfig.json'), 'utf8')).compilerOptions
}

/** A directory with what commands may use, and a program `npx` that runs varve's own command alone. */
function directoryOf(document: string): string {
  const directory = join(scratch, document.replace(/\W/g, '-'))
  mkdirSync(join(directory, 'bin'), { recursive: true })
  writeFileSync(join(directory, 'cities.ndjson'), CITIES.map((city) => `${JSON.stringify(city)}\n`).join(''))
  const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' '${CLI}' "$@"\n`
  writeFileSync(join(directory, 'bin', 'npx'), npx, { mode: 0o755 })
  return directory
}

/** Run a process to its end, and return what it printed. */
async function run(program: string, args: readonly string[], cwd: string, place: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(cwd, 'bin')}${delimiter}${process.env.PATH}` }
  try {
    return (await promisify(execFile)(program, args, { cwd, env, timeout: TIMEOUT_MS })).stdout
  } catch (error) {
    const { stdout, stderr } = error as Error & { stdout?: string; stderr?: string }
    assert.fail(`${place}: ${error}\n${stdout}\n${stderr}`)
  }
}

/** What each block printed; undefined if it is not run. */
async function follow(list: readonly Block[], directory: string): Promise<(string | undefined)[]> {
  const outputs: (string | undefined)[] = []
  for (let i = 0; i < list.length; i++) {
    const { language, text, place } = list[i]
    if (language === 'ts') {
      let end = i
      while (end < list.length && list[end].language === 'ts') end++
      const modules = list.slice(i, end).map((block) => programs.find((one) => one.block === block)!.module)
      const [, ...printed] = (await run(process.execPath, [RUNNER, ...modules], directory, place)).split(`${MARK}\n`)
      outputs.push(...printed)
      i = end - 1
    } else {
      const lines = language === 'sh' ? text.split('\n').filter((line) => line.startsWith('npx varve ')) : []
      outputs.push(lines.length === 0 ? undefined : await run('sh', ['-ex', '-c', lines.join('\n')], directory, place))
    }
  }
  return outputs
}

/** Whether a text is what was printed, where `…` in it stands for anything. */
function matches(expected: string, printed: string): boolean {
  const parts = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*?')}$`).test(printed)
}

/** Whether what a program prints is what its comments say. */
function checkComments({ text, place }: Block, printed: string): void {
  const lines = printed.split('\n')
  for (const [, comment] of text.matchAll(/^.*console\.log\(.*\)\s*\/\/ (.+)$/gm)) {
    const isLine = lines.some((line) => matches(comment, line))
    for (const expected of isLine ? [comment] : comment.split(', ')) {
      const at = lines.findIndex((line) => matches(expected, line))
      assert.ok(at >= 0, `${place} does not print “${expected}”, or not in this order:\n${printed}`)
      lines.splice(0, at + 1)
    }
  }
}

/** Whether a block of text is what was printed. */
function checkText({ text, place }: Block, printed: string): void {
  if (!matches(text.trim(), printed.trim())) assert.equal(printed.trim(), text.trim(), place)
}

function assertNamed(document: string, names: readonly string[]): void {
  const text = readFileSync(repository(document), 'utf8')
  for (const name of names) assert.ok(text.includes(`\`${name}\``), `${document} does not name ${name}`)
}

/** The README of a directory of pages links to all of them. */
function assertListed(directory: string): void {
  const text = readFileSync(repository(directory, 'README.md'), 'utf8')
  const pages = readdirSync(repository(directory)).filter((name) => name !== 'README.md')
  assert.ok(pages.length > 1)
  for (const page of pages) assert.ok(text.includes(`](${page})`), `${directory}/README.md does not link to ${page}`)
}

describe('the documents', { concurrency: 2 }, () => {
  let faults: string | undefined
  before(() => {
    faults = compile()
  })

  it('show programs that compile', () => {
    assert.ok(programs.length > 0)
    assert.equal(faults, '')
  })

  it('name npm scripts that exist', () => {
    const { scripts } = manifest()
    const shells = [...blocks.values()].flat().filter(({ language }) => language === 'sh')
    const lines = shells.flatMap(({ text }) => text.split('\n'))
    const named = lines.map((line) => /^npm (?:run )?([\w:]+)/.exec(line)?.[1]).filter((name) => name !== undefined)
    assert.ok(named.length > 0)
    for (const name of named) {
      assert.ok(NPM_COMMANDS.includes(name) || name in scripts, `package.json has no script ${name}`)
    }
  })

  it('name every option and every error', () => {
    const codes = Object.values({ ...varve, ...memtable })
      .filter((one) => typeof one === 'function' && one.prototype instanceof VarveError)
      .map((one) => new (one as new (message: string) => VarveError)('').code)
    assert.ok(codes.length > 10)
    const options = Object.keys(resolveOptions({}, nodeEnvironment))
    assertNamed('docs/guides/troubleshooting.md', codes)
    assertNamed('docs/guides/tuning.md', options)
    assertNamed('README.md', options)
  })

  it('list every decision and every guide', () => {
    assertListed('docs/rfcs')
    assertListed('docs/guides')
  })

  for (const [document, list] of blocks) {
    if (!list.some(({ language }) => language === 'ts' || language === 'sh')) continue
    it(`can be followed: ${document}`, async () => {
      const outputs = await follow(list, directoryOf(document))
      for (const [i, block] of list.entries()) {
        const before = block.isNext ? outputs[i - 1] : undefined
        if (block.language === 'ts') checkComments(block, outputs[i]!)
        else if (block.language === 'text' && before !== undefined) checkText(block, before)
      }
    })
  }
})
