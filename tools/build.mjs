/**
 * build: makes dist/, what the package consists of, from src/ alone.
 *
 *   1. tsc: JavaScript and declarations, file by file. JavaScript comes without its comments, which are half of it, and
 *      indented by tabs: users read it in their debugger, and what is public has its comments in declarations.
 *   2. Declarations name `.js`, not `.ts`: the compiler rewrites that in code only (TypeScript issue 61037). A file's
 *      header, its design document, stays in the repository, and so do the comments in declarations that nobody can import.
 *   3. The command line tool becomes one file, dist/cli/main.js, with the development dependencies that it needs inside,
 *      so that the package has none; what the library has stays outside, where worker threads find their entry. The
 *      licences of what is inside go into dist/cli/LICENSES.txt.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const cli = join(dist, 'cli')
const cliMain = join(cli, 'main.js')

function compile() {
  rmSync(dist, { recursive: true, force: true })
  tsc('--emitDeclarationOnly')
  tsc('--declaration', 'false', '--isolatedDeclarations', 'false', '--removeComments')
}

function tsc(...options) {
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json'), ...options]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}

/** Paths in dist/ that end so. */
function filesOf(suffix) {
  const names = readdirSync(dist, { recursive: true })
  return names.filter((name) => name.endsWith(suffix)).map((name) => join(dist, name))
}

function rewriteDeclarations() {
  for (const path of filesOf('.d.ts')) {
    const text = readFileSync(path, 'utf8')
    const withoutHeader = text
      .replace(/^\/\*\*[\s\S]*?\*\/\n/, '')
      .replace(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4))
    const rewritten = withoutHeader.replace(/(\b(?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"\n]*)\.ts(['"])/g, '$1.js$2')
    if (rewritten !== text) writeFileSync(path, rewritten)
  }
}

/**
 * Leave what is marked as internal out of declarations, and with it the modules that only this names. A constructor stays, as one
 * that nobody can call: without it there would be one without parameters.
 */
function hideInternals() {
  for (const path of filesOf('.d.ts')) {
    const text = readFileSync(path, 'utf8')
    const internal =
      /^(\t+)\/\*\*(?:(?!\*\/)[\s\S])*?@internal(?:(?!\*\/)[\s\S])*?\*\/\n\t*((?:protected )?constructor\()?[\s\S]*?;\n/gm
    const shown = text.replace(internal, (_, indent, beginning) => {
      if (beginning === undefined) return ''
      return `${indent}${beginning.startsWith('protected') ? 'protected' : 'private'} constructor();\n`
    })
    if (shown !== text) writeFileSync(path, withoutUnusedImports(shown))
  }
}

function withoutUnusedImports(text) {
  const words = text.replace(/\/\*\*[\s\S]*?\*\//g, '').match(/\w+/g)
  const isUsed = (name) => words.filter((word) => word === name).length > 1
  return text.replace(/^import (type )?\{ ([^}]*) \} from (.*)\n/gm, (_, type = '', names, from) => {
    const used = names.split(', ').filter((name) => isUsed(name.match(/\w+$/)[0]))
    return used.length === 0 ? '' : `import ${type}{ ${used.join(', ')} } from ${from}\n`
  })
}

/** What the package's entries lead to, the worker thread's among them: what is left when the command is one file. */
function libraryFiles() {
  const { exports, browser } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const targets = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? entry : Object.values(entry)))
  const entries = [...targets, ...Object.values(browser)].filter((entry) => entry.startsWith('./dist/'))
  const waiting = entries.map((entry) => join(root, entry))
  const reached = new Set()
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    const extension = path.endsWith('.d.ts') ? '.d.ts' : '.js'
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/['"](\.{1,2}\/[^'"\n]*)\.js['"]/g)) {
      waiting.push(join(dirname(path), target + extension))
    }
  }
  return reached
}

/** Remove what is not in `library`: it is in the command's one file, or for tests. */
function prune(library) {
  for (const path of [...filesOf('.js'), ...filesOf('.d.ts')]) {
    if (!library.has(path)) rmSync(path)
  }
}

/** Comments stay in what the entries export, and in the classes and interfaces that it extends. */
function stripInternalComments() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const waiting = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : join(root, types)))
  const kept = new Set()
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (kept.has(path)) continue
    kept.add(path)
    const text = readFileSync(path, 'utf8')
    const extended = new Set(Array.from(text.matchAll(/\bextends (\w+)/g), ([, name]) => name))
    for (const [, kind, names, target] of text.matchAll(/^(export|import)\b([^;]*?) from '(\.[^']+)\.js'/gm)) {
      if (kind === 'export' || names.match(/\w+/g).some((name) => extended.has(name)))
        waiting.push(join(dirname(path), `${target}.d.ts`))
    }
  }
  for (const path of filesOf('.d.ts')) {
    if (kept.has(path)) continue
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^[ \t]*\/\*\*[\s\S]*?\*\/\n/gm, ''))
  }
}

async function indent() {
  for (const path of filesOf('.js')) {
    const { code } = await transform(readFileSync(path, 'utf8'), {
      target: 'esnext',
      legalComments: 'none',
      minifySyntax: true,
    })
    // Where a template spans lines, their indentation is part of the text.
    const hasLongTemplate = code.split('\n').some((line) => (line.match(/`/g)?.length ?? 0) % 2 === 1)
    const toTabs = (spaces) => '\t'.repeat(spaces.length / 2)
    writeFileSync(path, hasLongTemplate ? code : code.replace(/^(?: {2})+/gm, toTabs))
  }
}

/** Modules that the library has anyway stay imports, as seen from dist/cli/main.js. */
const outside = (library) => ({
  name: 'library-stays-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const target = join(resolveDir, path)
      return library.has(target) ? { path: relative(cli, target).split(sep).join('/'), external: true } : undefined
    })
  },
})

async function bundleCli(library) {
  const { metafile, outputFiles } = await build({
    entryPoints: [cliMain],
    bundle: true,
    write: false,
    outfile: cliMain,
    absWorkingDir: root,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Some of the packages are CommonJS and ask for Node's modules with require.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'\nconst require = createRequireOfBundle(import.meta.url)",
    },
    legalComments: 'none',
    minify: true,
    metafile: true,
    plugins: [outside(library)],
    logLevel: 'warning',
  })
  const text = outputFiles[0].text
  rmSync(cli, { recursive: true })
  mkdirSync(cli)
  writeFileSync(cliMain, text.startsWith('#!') ? text : `#!/usr/bin/env node\n${text}`)
  chmodSync(cliMain, 0o755)
  writeFileSync(join(cli, 'LICENSES.txt'), licencesOf(Object.keys(metafile.inputs)))
}

/** The licences of the packages that the bundled files belong to, each with its package's name and version. */
function licencesOf(inputs) {
  const packages = new Set(inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]))
  packages.delete(undefined)
  const texts = [...packages].sort().map((path) => {
    const directory = join(root, path)
    const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    const file = readdirSync(directory).find((entry) => /^licen[cs]e\b/i.test(entry))
    if (file === undefined) throw new Error(`${name} has no licence file: it must not be bundled`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(directory, file), 'utf8').trim()}\n`
  })
  return `main.js contains the following packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

compile()
rewriteDeclarations()
hideInternals()
const library = libraryFiles()
stripInternalComments()
await indent()
await bundleCli(library)
prune(new Set([...library, cliMain]))
