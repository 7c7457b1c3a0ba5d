/**
 * browser: runs the bundles for web pages in Chromium: with shared memory, which a page has if its server isolates it from others;
 * without; in a worker of a page; and the package's own modules, unbundled. The table that each of them wrote has the same bytes as one that Node wrote to a disk.
 *
 * Chromium is found in the PATH, or named by CHROMIUM. Without one, a line says that nothing was run; with `CI` set, that is a failure.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, expect } from './checks.mjs'

const PAGE_TIMEOUT_MS = 300_000
const ISOLATION = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
const IN_NODE = `
import { nodeEnvironment } from 'varve'
import { use } from './memory-app.mjs'
const onDisk = await use(true, nodeEnvironment(), process.argv[2])
const inMemory = await use(true)
if (onDisk.table !== inMemory.table) throw new Error('a table in memory differs from one on disk')
console.log(JSON.stringify(onDisk))
`

function findChromium() {
  const names = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean)
  return names.find((name) => spawnSync(name, ['--version']).status === 0)
}

/**
 * @param project the project of memory-app.mjs
 * @param bundles bundler → directory of its bundle
 */
export async function checkBrowser(project, bundles) {
  writeFileSync(join(project, 'in-node.mjs'), IN_NODE)
  const data = join(project, 'memory-data')
  const output = check('a database in memory, in Node', process.execPath, ['in-node.mjs', data], { cwd: project })
  const chromium = findChromium()
  if (chromium === undefined) {
    console.log('- no Chromium here: nothing was run in a web page (apt-get install chromium, or CHROMIUM=path)')
    if (process.env.CI) expect(false, 'there is a Chromium')
    return
  }
  if (output === '') return
  const { table, entries } = JSON.parse(output)
  for (const outcome of await visit(chromium, new Map([...bundles, ['modules', project]]))) {
    const { path, isPage, isShared } = outcome
    const isAlike = outcome.table === table && outcome.entries === entries
    const isAsWanted = isShared === !path.startsWith('/plain/') && isPage === path.endsWith('.html')
    const memory = isShared ? 'shared memory' : 'memory of its own'
    expect(
      isAlike && isAsWanted,
      `${path}: ${entries} entries in ${memory}, the table as in Node`,
      JSON.stringify(outcome),
    )
  }
}

/** The outcomes of all pages. */
async function visit(chromium, bundles) {
  const paths = [...bundles.keys()].map((name) => `/isolated/${name}/page.html`)
  paths.push('/plain/esbuild/page.html', '/isolated/esbuild/worker.html')
  const outcomes = []
  let done = () => {}
  const isDone = new Promise((resolve) => (done = resolve))
  const server = createServer((request, response) =>
    serve(request, response, bundles, (outcome) => {
      outcomes.push(outcome)
      if (outcomes.length === paths.length) done()
      return paths[outcomes.length] ?? ''
    }),
  )
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const profile = mkdtempSync(join(tmpdir(), 'varve-chromium-'))
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const address = `http://127.0.0.1:${server.address().port}${paths[0]}`
  const browser = spawn(chromium, [...flags, `--user-data-dir=${profile}`, address], {
    stdio: 'ignore',
    detached: true,
  })
  const timer = setTimeout(done, PAGE_TIMEOUT_MS)
  browser.on('exit', done)
  await isDone
  clearTimeout(timer)
  await end(browser)
  server.close()
  server.closeAllConnections()
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  expect(outcomes.length === paths.length, `${paths.length} pages`, `${outcomes.length} came to an end`)
  return outcomes
}

/** The browser and its processes. */
async function end(browser) {
  if (browser.exitCode !== null || browser.signalCode !== null) return
  const isGone = new Promise((resolve) => browser.on('exit', resolve))
  process.kill(-browser.pid, 'SIGKILL')
  await isGone
}

function serve(request, response, bundles, take) {
  const [, kind, bundler, file] = /^\/(\w+)\/(\w+)\/([\w./-]+)$/.exec(request.url) ?? []
  if (request.method === 'POST') {
    let body = ''
    request.setEncoding('utf8').on('data', (text) => (body += text))
    request.on('end', () => response.end(take(JSON.parse(body))))
    return
  }
  if (kind === 'isolated') for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value)
  const text = contentOf(bundles.get(bundler), file)
  response.statusCode = text === undefined ? 404 : 200
  response.setHeader('content-type', file?.endsWith('.html') ? 'text/html' : 'text/javascript')
  response.end(text)
}

/** Without a bundler, an import map does what the field `browser` of package.json asks for. */
function unbundledPage() {
  const dist = './node_modules/varve/dist'
  const imports = {
    varve: `${dist}/public/index.js`,
    'varve/memtable': `${dist}/public/memtable.js`,
    [`${dist}/env/node-env.js`]: `${dist}/env/browser-env.js`,
  }
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`
  return `<!doctype html>${map}<script type="module" src="page-main.mjs"></script>`
}

function contentOf(directory, file) {
  if (file === 'page.html' && existsSync(join(directory, 'package.json'))) return unbundledPage()
  if (file === 'page.html') return '<!doctype html><script type="module" src="page.mjs"></script>'
  if (file === 'worker.html') return "<!doctype html><script>new Worker('page.mjs', { type: 'module' })</script>"
  try {
    return readFileSync(join(directory, file))
  } catch {
    return undefined
  }
}
