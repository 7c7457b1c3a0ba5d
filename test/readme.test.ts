/**
 * What the documents show, works: every `ts` block of README.md and docs/ compiles, strictly, and runs to its end with
 * status 0; every npm script that a `sh` block names exists; every `npx varve` line works, in order, in one directory.
 *
 * A block is compiled as it stands, with `varve` and `varve/memtable` standing for what a user of the package would import.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { repository } from './support/paths.ts'

interface Block {
  /** File and line, for people. */
  readonly place: string
  readonly language: string
  readonly text: string
}

/** What `import … from` means in a block: the compiled sources. */
const MODULES: Readonly<Record<string, string>> = {
  varve: repository('.build', 'src', 'public', 'index.js'),
  'varve/level': repository('.build', 'src', 'level', 'varve-level.js'),
  'varve/memtable': repository('.build', 'src', 'public', 'memtable.js'),
  'varve/otel': repository('.build', 'src', 'otel', 'instrument.js'),
}
const CLI = repository('.build', 'src', 'cli', 'main.js')
const CITIES = [
  { country: 'FR', name: 'Paris', population: 2138551 },
  { country: 'CH', name: 'Zürich', population: 341730 },
]

function documents(): string[] {
  const docs = readdirSync(repository('docs'), { recursive: true, encoding: 'utf8' })
  return ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name))].sort()
}

/** The fenced blocks of a document. */
function blocksOf(document: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; language: string; text: string[] } | undefined
  for (const [i, line] of readFileSync(repository(document), 'utf8').split('\n').entries()) {
    if (!line.startsWith('```')) open?.text.push(line)
    else if (open === undefined) open = { line: i + 1, language: line.slice(3).trim(), text: [] }
    else {
      blocks.push({ place: `${document}:${open.line}`, language: open.language, text: open.text.join('\n') })
      open = undefined
    }
  }
  assert.equal(open, undefined, `${document} has a block without an end`)
  return blocks
}

const blocks: Block[] = documents().flatMap(blocksOf)
const programs: Block[] = blocks.filter(({ language }) => language === 'ts')
const commands: string[] = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => text.split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())

/** Inside the repository, so that @types/node is found. */
const workshop: string = repository('.build', `readme-${process.pid}`)
const scratch: string = mkdtempSync(join(tmpdir(), 'varve-readme-'))

after(() => {
  rmSync(workshop, { recursive: true, force: true })
  rmSync(scratch, { recursive: true, force: true })
})

/** Compile all programs together. */
function compile(): { readonly status: number | null; readonly stdout: string } {
  mkdirSync(workshop, { recursive: true })
  for (const [i, { text }] of programs.entries()) {
    const code = text.replace(/\bfrom '(varve(?:\/\w+)?)'/g, (_, name: string) => `from '${MODULES[name] ?? name}'`)
    // A module, even if it imports nothing.
    writeFileSync(join(workshop, `block${i}.ts`), `${code}\nexport {}\n`)
  }
  const { target, module, lib, strict, exactOptionalPropertyTypes } = repositoryOptions()
  const compilerOptions = {
    target,
    module,
    lib,
    strict,
    exactOptionalPropertyTypes,
    types: ['node'],
    skipLibCheck: true,
  }
  writeFileSync(join(workshop, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const tsc = repository('node_modules', 'typescript', 'bin', 'tsc')
  return spawnSync(process.execPath, [tsc, '-p', workshop], { encoding: 'utf8' })
}

function repositoryOptions(): Record<string, unknown> {
  return JSON.parse(readFileSync(repository('tsconfig.json'), 'utf8')).compilerOptions
}

function freshDirectory(name: string): string {
  const directory = join(scratch, name)
  mkdirSync(directory)
  return directory
}

describe('the programs in the documents', () => {
  const compiled = compile()

  it('are there, and compile', () => {
    assert.ok(programs.length >= 3)
    const places = programs.map(({ place }, i) => `block${i} is ${place}`).join('\n')
    assert.equal(compiled.status, 0, `${places}\n${compiled.stdout}`)
  })

  for (const [i, { place }] of programs.entries()) {
    it(`run: ${place}`, () => {
      const cwd = freshDirectory(`block${i}`)
      const run = spawnSync(process.execPath, [join(workshop, `block${i}.js`)], {
        cwd,
        encoding: 'utf8',
        timeout: 60_000,
      })
      assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`)
    })
  }
})

/** The arguments of a command line, with '…' and "…" taken off. */
function words(command: string): string[] {
  return Array.from(command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), (match) => match[1] ?? match[2] ?? match[3])
}

describe('the commands in the documents', () => {
  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(repository('package.json'), 'utf8'))
    const named = commands
      .map((command) => /^npm (?:run )?([\w:]+)/.exec(command)?.[1])
      .filter((name) => name !== undefined && !['install', 'ci'].includes(name))
    assert.ok(named.length > 0)
    for (const name of named) assert.ok(name! in scripts, `package.json has no script ${name}`)
  })

  const skip = existsSync(CLI) ? false : 'the command line tool is not compiled'
  it('run, where they are varve’s, one after another', { skip }, () => {
    const cwd = freshDirectory('commands')
    writeFileSync(join(cwd, 'cities.ndjson'), CITIES.map((city) => `${JSON.stringify(city)}\n`).join(''))
    const lines = commands.filter((command) => command.startsWith('npx varve '))
    assert.ok(lines.length > 0)
    for (const command of lines) {
      const run = spawnSync(process.execPath, [CLI, ...words(command).slice(2)], {
        cwd,
        encoding: 'utf8',
        timeout: 60_000,
      })
      assert.equal(run.status, 0, `${command}\n${run.stdout}\n${run.stderr}`)
    }
  })
})
