/**
 * package-test: what a user gets. Packs dist/, has publint and attw look at the tarball, installs it into an empty project,
 * and uses it there: from an ES module, from CommonJS, from TypeScript, and by its command; on this Node and on the newest
 * one there is; in bundles, and in a web browser.
 *
 * Run it after tools/build.mjs, as `npm run test:package` does. `--this-node` leaves the newest Node out. Each check
 * prints a line; the last line is `package: N passed, N failed`, and the status is 1 if one failed.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkBrowser } from './package/browser.mjs'
import { checkBundles } from './package/bundles.mjs'
import { check, expect, INSTALL, makeProject, manifest, nodeBinary, root, summarize } from './package/checks.mjs'
import {
  BODY,
  CONSUMER,
  LEVEL,
  LEVEL_CONSUMER,
  NATIVE_LOCK,
  NO_PEER,
  OTEL,
  OTEL_CONSUMER,
  OVERRIDDEN,
  STAND_IN,
} from './package/consumers.mjs'

const MAX_UNPACKED_BYTES = 1_000_000

/** Pack, and look at what is in the tarball. Returns its path. */
function pack(directory) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory]
  const output = check('npm pack', 'npm', args, { cwd: root })
  const report = JSON.parse(output)
  const { filename, files, unpackedSize } = Array.isArray(report) ? report[0] : report[manifest.name]
  const names = files.map(({ path }) => path)
  const stray = names.filter((name) => !/^(dist\/.*|package\.json|README\.md|LICENSE)$/.test(name))
  expect(stray.length === 0, `${names.length} files, none of them stray`, stray.join('\n'))
  expect(unpackedSize < MAX_UNPACKED_BYTES, `${unpackedSize} bytes unpacked`, `more than ${MAX_UNPACKED_BYTES}`)
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  )
  const missing = targets.map((target) => target.slice(2)).filter((target) => !names.includes(target))
  expect(missing.length === 0, 'every export is there', missing.join('\n'))
  const scripts = Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$/.test(name))
  expect(
    scripts.length === 0 && manifest.dependencies === undefined,
    'no install script, no dependency',
    scripts.join(),
  )
  return join(directory, filename)
}

/** What publint and Are The Types Wrong find in the tarball: ES modules only, which CommonJS can require. */
function lint(tarball) {
  const modules = join(root, 'node_modules')
  check('publint', process.execPath, [join(modules, 'publint/src/cli.js'), 'run', tarball, '--strict'])
  const attw = join(modules, '@arethetypeswrong/cli/dist/index.js')
  check('attw', process.execPath, [attw, tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji'])
}

function makeConsumer(directory, tarball) {
  makeProject(directory, 'install into an empty project', [tarball])
  writeFileSync(join(directory, 'body.cjs'), BODY)
  writeFileSync(
    join(directory, 'esm.mjs'),
    "import * as varve from 'varve'\nimport * as memtable from 'varve/memtable'\nimport use from './body.cjs'\nawait use(varve, memtable, process.argv[2])\n",
  )
  writeFileSync(
    join(directory, 'cjs.cjs'),
    "require('./body.cjs')(require('varve'), require('varve/memtable'), process.argv[2])\n",
  )
}

/** The type test of the repository, with the packed declarations in the place of the sources. */
function typeTest() {
  const text = readFileSync(join(root, 'test/types/public-api.test.ts'), 'utf8')
  return text
    .replaceAll("'../../src/public/index.ts'", "'varve'")
    .replaceAll("'../../src/public/memtable.ts'", "'varve/memtable'")
}

function checkTypes(directory, consumer, what) {
  writeFileSync(join(directory, 'consumer.mts'), consumer)
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    paths: { 'expect-type': [join(root, 'node_modules/expect-type/dist/index.d.ts')] },
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.mts'] }))
  check(what, process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory])
}

/** The abstract-level database that the optional peer dependency makes possible. */
function checkLevel(directory, tarball) {
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "leveller", "private": true }\n')
  const peer = `abstract-level@${manifest.peerDependencies['abstract-level']}`
  check('install beside abstract-level', 'npm', ['install', ...INSTALL, tarball, peer], { cwd: directory })
  writeFileSync(join(directory, 'body.cjs'), LEVEL)
  writeFileSync(
    join(directory, 'esm.mjs'),
    "import * as level from 'varve/level'\nimport use from './body.cjs'\nawait use(level, process.argv[2])\n",
  )
  writeFileSync(join(directory, 'cjs.cjs'), "require('./body.cjs')(require('varve/level'), process.argv[2])\n")
  for (const script of ['esm.mjs', 'cjs.cjs']) {
    check(`varve/level, ${script}`, process.execPath, [script, join(directory, `data-${script}`)], { cwd: directory })
  }
  checkTypes(directory, LEVEL_CONSUMER, 'TypeScript, strict, of varve/level')
}

/** A package that asks for classic-level gets varve, as the guide says, also after a clean install. */
function checkStandIn(directory, tarball) {
  const standIn = join(directory, 'classic-level')
  mkdirSync(standIn, { recursive: true })
  for (const [name, text] of Object.entries(STAND_IN)) writeFileSync(join(standIn, name), text)
  const overrides = { 'classic-level': '$classic-level' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'overrider', private: true, overrides }))
  const cwd = { cwd: directory }
  check('install classic-level overridden', 'npm', ['install', ...INSTALL, './classic-level', tarball, 'level@10'], cwd)
  check('install it clean', 'npm', ['ci', ...INSTALL], cwd)
  writeFileSync(join(directory, 'main.cjs'), OVERRIDDEN)
  check('level, over varve', process.execPath, ['main.cjs', join(directory, 'data')], cwd)
}

/** The telemetry that the optional peer dependency makes possible, and what is said without it. */
function checkOtel(directory, tarball, withoutPeer) {
  writeFileSync(join(withoutPeer, 'no-peer.mjs'), NO_PEER)
  check('varve/otel names the package that it misses', process.execPath, ['no-peer.mjs'], { cwd: withoutPeer })
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "observer", "private": true }\n')
  const peer = `@opentelemetry/api@${manifest.peerDependencies['@opentelemetry/api']}`
  const sdk = `@opentelemetry/sdk-metrics@${manifest.devDependencies['@opentelemetry/sdk-metrics']}`
  check('install beside OpenTelemetry', 'npm', ['install', ...INSTALL, tarball, peer, sdk], { cwd: directory })
  writeFileSync(join(directory, 'body.cjs'), OTEL)
  writeFileSync(
    join(directory, 'esm.mjs'),
    "import * as varve from 'varve'\nimport * as otel from 'varve/otel'\nimport use from './body.cjs'\nawait use(varve, otel, process.argv[2])\n",
  )
  writeFileSync(
    join(directory, 'cjs.cjs'),
    "require('./body.cjs')(require('varve'), require('varve/otel'), process.argv[2])\n",
  )
  for (const script of ['esm.mjs', 'cjs.cjs']) {
    check(`varve/otel, ${script}`, process.execPath, [script, join(directory, `data-${script}`)], { cwd: directory })
  }
  checkTypes(directory, OTEL_CONSUMER, 'TypeScript, strict, of varve/otel')
}

/** The lock that the optional peer dependency makes possible. */
function checkNativeLock(directory, tarball) {
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "name": "locker", "private": true }\n')
  const level = `classic-level@${manifest.devDependencies['classic-level']}`
  const native = `fs-native-extensions@${manifest.peerDependencies['fs-native-extensions']}`
  check('install beside fs-native-extensions', 'npm', ['install', ...INSTALL, tarball, native, level], {
    cwd: directory,
  })
  writeFileSync(join(directory, 'lock.mjs'), NATIVE_LOCK)
  check('LevelDB is kept out, then let in', process.execPath, ['lock.mjs', join(directory, 'data')], { cwd: directory })
}

/** Use the installed package with one Node binary. */
function checkOn(node, directory) {
  const version = check(`${node} runs`, node, ['--version']).trim()
  for (const script of ['esm.mjs', 'cjs.cjs']) {
    check(`${version} ${script}`, node, [script, join(directory, `data-${version}-${script}`)], { cwd: directory })
  }
  const command = join(directory, 'node_modules/varve', manifest.bin.varve)
  if (!existsSync(command)) {
    console.log(`- ${version} the command varve does not exist yet`)
    return
  }
  const reported = check(`${version} varve --version`, node, [command, '--version']).trim()
  expect(reported.includes(manifest.version), `${version} varve says ${manifest.version}`, reported)
  check(`${version} varve --help`, node, [command, '--help'])
}

const scratch = mkdtempSync(join(tmpdir(), 'varve-package-'))
try {
  const project = join(scratch, 'project')
  const tarball = pack(scratch)
  lint(tarball)
  makeConsumer(project, tarball)
  checkTypes(project, CONSUMER, 'TypeScript, strict')
  checkTypes(project, typeTest(), 'the type test, against what is packed')
  checkLevel(join(scratch, 'level'), tarball)
  checkStandIn(join(scratch, 'stand-in'), tarball)
  checkOtel(join(scratch, 'otel'), tarball, project)
  checkOn(process.execPath, project)
  const link = join(project, 'node_modules/.bin/varve')
  if (existsSync(link)) expect((statSync(link).mode & 0o111) !== 0, 'the command can be executed', link)
  if (process.platform === 'linux') checkNativeLock(join(scratch, 'locker'), tarball)
  const hasNewest = process.platform === 'linux' && process.arch === 'x64' && !process.argv.includes('--this-node')
  const newest = hasNewest ? nodeBinary('latest') : undefined
  if (newest !== undefined) checkOn(newest, project)
  mkdirSync(join(scratch, 'bundles'))
  await checkBrowser(project, await checkBundles(project, join(scratch, 'bundles')))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
summarize('package')
