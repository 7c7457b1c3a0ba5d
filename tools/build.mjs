/**
 * build: makes dist/, what the package consists of, from src/ alone.
 *
 *   1. tsc: JavaScript and declarations, file by file. JavaScript comes without its comments, which are half of it: what is public
 *      has them in declarations.
 *   2. Declarations name `.js`, not `.ts`: the compiler rewrites that in code only (TypeScript issue 61037). A file's
 *      header, its design document, stays in the repository, and so do the comments in declarations that nobody can import.
 *   3. Of the JavaScript, one file is made for each entry, and some in shared/ for what several of them need: a thread then loads
 *      five files instead of two hundred, in a quarter of the time. Names stay, since users read it in their debugger. The
 *      environment stays a file by itself: for web pages package.json names another one in its place.
 *   4. The command line tool is one of the entries, with the development dependencies that it needs inside, so that the
 *      package has none. Their licences go into dist/cli/LICENSES.txt.
 *
 * Every file lies one directory deep, so that a path from one to another is the same from everywhere.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
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
 * Leave what is marked as internal out of declarations, and what is protected, since nobody else extends our classes; and with it the
 * modules that only this names. A constructor stays, as one that nobody can call: without it there would be one without parameters.
 */
function hideInternals() {
  for (const path of filesOf('.d.ts')) {
    const text = readFileSync(path, 'utf8')
    const internal =
      /^(\t+)\/\*\*(?:(?!\*\/)[\s\S])*?@internal(?:(?!\*\/)[\s\S])*?\*\/\n\t*((?:protected )?constructor\()?[\s\S]*?;\n/gm
    const unmarked = text.replace(internal, (_, indent, beginning) => {
      if (beginning === undefined) return ''
      return `${indent}${beginning.startsWith('protected') ? 'protected' : 'private'} constructor();\n`
    })
    // What follows is by lines.
    if (/^\t+protected (?!constructor\()[^;\n]*\n/m.test(unmarked))
      throw new Error(`${path}: a protected member takes several lines`)
    const shown = unmarked.replace(
      /^\t+(?:\/\*\*(?:(?!\*\/)[\s\S])*?\*\/\n\t*)?protected (?!constructor\()[^;]*;\n/gm,
      '',
    )
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

/** Paths that package.json names, below dist/ and without what they end in. */
function entries() {
  const { exports, browser, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const exported = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default]))
  const named = [...exported, ...Object.entries(browser).flat(), ...Object.values(bin)]
  return named.map((path) => relative('dist', path).replace(/\.js$/, ''))
}

/** Remove the declarations that no entry leads to: they are the command's, or for tests. */
function pruneDeclarations() {
  const waiting = entries().map((entry) => join(dist, `${entry}.d.ts`))
  const reached = new Set()
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path) || path.startsWith(cli)) continue
    reached.add(path)
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/['"](\.{1,2}\/[^'"\n]*)\.js['"]/g)) {
      waiting.push(join(dirname(path), `${target}.d.ts`))
    }
  }
  for (const path of filesOf('.d.ts')) if (!reached.has(path)) rmSync(path)
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

/** What stays outside: packages, but for those of the command; and, for whoever imports it, the environment. */
const outside = {
  name: 'outside',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      const isOfCommand = importer.startsWith(cli) || importer.includes('node_modules')
      return kind === 'entry-point' || isOfCommand ? undefined : { path, external: true }
    })
    onResolve({ filter: /^\.{1,2}\/.*node-env\.js$/ }, ({ kind }) => {
      return kind === 'entry-point' ? undefined : { path: '../env/node-env.js', external: true }
    })
  },
}

/** Some of the command's packages are CommonJS, and call require for Node's modules, which an ES module has not. */
const requires = {
  name: 'requires',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^[a-z:/_]+$/ }, ({ path, kind }) => {
      return kind === 'require-call' && isBuiltin(path) ? { path, namespace: 'required' } : undefined
    })
    onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => {
      return { contents: `module.exports = process.getBuiltinModule('${path}')` }
    })
  },
}

/** In place of the compiler's JavaScript. */
async function bundle() {
  const { metafile, outputFiles } = await build({
    entryPoints: entries().map((entry) => ({ in: join(dist, `${entry}.js`), out: entry })),
    bundle: true,
    splitting: true,
    write: false,
    outdir: dist,
    chunkNames: 'shared/[name]-[hash]',
    absWorkingDir: root,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'none',
    minifySyntax: true,
    metafile: true,
    plugins: [requires, outside],
    logLevel: 'warning',
  })
  for (const path of filesOf('.js')) rmSync(path)
  mkdirSync(join(dist, 'shared'))
  for (const { path, text } of outputFiles) {
    writeFileSync(path, path === cliMain ? await asCommand(text) : await withTabs(text))
  }
  chmodSync(cliMain, 0o755)
  writeFileSync(join(cli, 'LICENSES.txt'), licencesOf(Object.keys(metafile.inputs)))
}

async function withTabs(code) {
  let isText = false
  const lines = code.split('\n').map((line) => {
    // Where a template spans lines, their indentation is part of the text.
    const indented = isText ? line : line.replace(/^(?: {2})+/, (spaces) => '\t'.repeat(spaces.length / 2))
    if ((line.match(/`/g)?.length ?? 0) % 2 === 1) isText = !isText
    return indented
  })
  const tabbed = lines.join('\n')
  if ((await minified(tabbed)) === (await minified(code))) return tabbed
  throw new Error('with tabs in place of spaces, it is another program')
}

async function minified(text) {
  return (await transform(text, { target: 'node20.19', format: 'esm', minify: true })).code
}

/** Most of it is others' code, which nobody reads here. */
async function asCommand(bundled) {
  return `#!/usr/bin/env node\n${await minified(bundled.replace(/^#!.*\n/, ''))}`
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
stripInternalComments()
pruneDeclarations()
await bundle()
