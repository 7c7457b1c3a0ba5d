/**
 * bundles: programs that bundlers make one file of, with the installed package in it, by esbuild, Vite, Rspack and webpack. In Node:
 * alone, and with varve's worker program as a second file. For web pages: nothing in them may need Node.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { check, expect, onDemand, root } from './checks.mjs'

/** Bundler → makes `entries` (name → module) of a project into files of these names in `out`, or undefined if it is not there. */
async function bundlers() {
  const made = { esbuild: withEsbuild }
  const vite = onDemand('vite', ['vite@8'], 'vite/dist/node/index.js')
  if (vite !== undefined) made.vite = withVite(await import(pathToFileURL(vite)))
  const rspack = onDemand('rspack', ['@rspack/core@2'], '@rspack/core/dist/index.js')
  if (rspack !== undefined) made.rspack = withWebpack((await import(pathToFileURL(rspack))).rspack)
  const webpack = onDemand('webpack', ['webpack@5'], 'webpack/lib/index.js')
  if (webpack !== undefined) made.webpack = withWebpack((await import(pathToFileURL(webpack))).default)
  return made
}

async function withEsbuild(project, entries, out, platform) {
  await build({
    absWorkingDir: project,
    entryPoints: Object.entries(entries).map(([name, module]) => ({ in: module, out: name })),
    bundle: true,
    outdir: out,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    platform,
    target: 'es2022',
    logLevel: 'error',
  })
}

function withVite({ build: viteBuild }) {
  return (project, entries, out, platform) =>
    viteBuild({
      root: project,
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        outDir: out,
        emptyOutDir: false,
        target: 'es2022',
        ssr: platform === 'node',
        modulePreload: false,
        rollupOptions: { input: entries, output: { entryFileNames: '[name].mjs' } },
      },
    })
}

/** webpack, or Rspack, which takes the same options. */
function withWebpack(webpack) {
  return async (project, entries, out, platform) => {
    const compiler = webpack({
      context: project,
      mode: 'production',
      target: platform === 'node' ? ['node20', 'es2022'] : ['web', 'es2022'],
      entry: entries,
      output: { path: out, filename: '[name].mjs', module: true, chunkFormat: 'module', library: { type: 'module' } },
      // The file's own address, as it is when it runs.
      module: { parser: { javascript: { importMeta: platform !== 'node', url: platform !== 'node' } } },
      performance: { hints: false },
    })
    const stats = await new Promise((resolve, reject) =>
      compiler.run((error, s) => (error ? reject(error) : resolve(s))),
    )
    if (stats.hasErrors()) throw new Error(stats.toString({ colors: false }))
  }
}

/**
 * @param project an empty project with the package in it
 * @param scratch an empty directory, without packages around it
 * @returns the directories of the bundles for web pages, by bundler
 */
export async function checkBundles(project, scratch) {
  for (const name of ['memory-app.mjs', 'page-main.mjs', 'worker-app.mjs']) {
    copyFileSync(join(root, 'tools/package', name), join(project, name))
  }
  // A program of one's own, which may do more: it is imported for what it does, and for no name.
  writeFileSync(join(project, 'wrapped-worker.mjs'), "import 'varve/worker'\n")
  const pages = new Map()
  for (const [name, bundle] of Object.entries(await bundlers())) {
    const out = join(scratch, name)
    mkdirSync(out)
    if (!(await isMade(`${name} bundles for Node`, bundle, project, join(out, 'node'), 'node'))) continue
    runInNode(name, join(out, 'node'), join(out, 'data'))
    if (!(await isMade(`${name} bundles for web pages`, bundle, project, join(out, 'web'), 'browser'))) continue
    expectNoNode(name, join(out, 'web'))
    pages.set(name, join(out, 'web'))
  }
  return pages
}

async function isMade(what, bundle, project, out, platform) {
  const modules =
    platform === 'node'
      ? { app: './worker-app.mjs', 'varve-worker': 'varve/worker', 'wrapped-worker': './wrapped-worker.mjs' }
      : { page: './page-main.mjs' }
  try {
    await bundle(project, modules, out, platform)
    expect(true, what)
    return true
  } catch (error) {
    expect(false, what, error.stack)
    return false
  }
}

/** From a directory without node_modules: the package itself is not there. */
function runInNode(name, out, data) {
  mkdirSync(data)
  // What shares modules with another entry may lie in a further file.
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }\n')
  const run = (...args) => check(`${name}: the bundle runs`, process.execPath, [join(out, 'app.mjs'), ...args])
  const alone = run(join(data, 'alone'))
  expect(
    alone === 'threads: 0, failed: thread\n',
    `${name}: without a worker program, jobs run on the calling thread`,
    alone,
  )
  for (const worker of ['varve-worker', 'wrapped-worker']) {
    const threaded = run(join(data, worker), `./${worker}.mjs`)
    expect(/^threads: [1-9], failed: $/m.test(threaded), `${name}: with ${worker}, they run on threads`, threaded)
  }
  const missing = join(data, 'missing')
  const args = [join(out, 'app.mjs'), missing, './elsewhere.mjs']
  check(`${name}: a worker program that is not there is an error`, 'sh', [
    '-c',
    '! "$@" 2>"$0" && grep -q INVALID_ARGUMENT "$0" && grep -q "there is no file" "$0"',
    join(data, 'stderr'),
    process.execPath,
    ...args,
  ])
  expect(!existsSync(missing), `${name}: and makes no database`)
}

function expectNoNode(name, out) {
  const names = readdirSync(out, { recursive: true }).filter((file) => /\.m?js$/.test(file))
  const texts = names.map((file) => readFileSync(join(out, file), 'utf8'))
  const found = texts.flatMap((text) => text.match(/["'`](node:\w+|worker_threads|fs)["'`]/g) ?? [])
  expect(found.length === 0, `${name}: the web page needs no module of Node’s`, found.join())
}
