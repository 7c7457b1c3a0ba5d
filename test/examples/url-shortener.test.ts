/**
 * The URL shortener of the examples, over a real socket: what it answers, what it keeps, and how it ends.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { Shortener } from '../../examples/url-shortener/shortener.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { open } from '../../src/public/index.ts'
import { repository } from '../support/paths.ts'

const MAIN = repository('.build', 'examples', 'url-shortener', 'main.js')

interface Server {
  readonly origin: string
  /** Send a signal; the exit code, null if the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

const running = new Set<ChildProcess>()
const directory = mkdtempSync(join(tmpdir(), 'varve-shortener-'))
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

async function start(): Promise<Server> {
  const child = spawn(process.execPath, [MAIN, directory, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  const exit = once(child, 'exit') as Promise<[code: number | null]>
  const lines = createInterface(child.stdout)
  for await (const line of lines) {
    const origin = /^listening on (\S+)$/.exec(line)?.[1]
    if (origin === undefined) continue
    child.stdout.resume()
    return {
      origin,
      async end(signal) {
        child.kill(signal)
        const [code] = await exit
        running.delete(child)
        return code
      },
    }
  }
  throw new Error('the server ended before it listened')
}

async function create({ origin }: Server, url: string): Promise<string> {
  const response = await fetch(origin, { method: 'POST', body: url })
  assert.equal(response.status, 201)
  const { code, url: stored } = (await response.json()) as { code: string; url: string }
  assert.equal(stored, url)
  return code
}

function follow({ origin }: Server, code: string): Promise<Response> {
  return fetch(`${origin}/${code}`, { redirect: 'manual' })
}

async function hits({ origin }: Server, code: string): Promise<number> {
  const response = await fetch(`${origin}/${code}/stats`)
  assert.equal(response.status, 200)
  return ((await response.json()) as { hits: number }).hits
}

const urls = Array.from({ length: 100 }, (_, i) => `https://example.org/page/${i}?q=ü`).map((url) => new URL(url).href)

describe('the example of a URL shortener', () => {
  it('creates, follows and counts, and keeps it all over SIGTERM and SIGKILL', async () => {
    let server = await start()
    const codes = await Promise.all(urls.map((url) => create(server, url)))
    assert.equal(new Set(codes).size, urls.length)
    assert.equal(await create(server, urls[0]), codes[0])
    for (const [i, code] of codes.entries()) {
      const response = await follow(server, code)
      assert.deepEqual([response.status, response.headers.get('location')], [302, urls[i]])
    }
    await Promise.all(Array.from({ length: 50 }, () => follow(server, codes[7])))
    assert.equal(await hits(server, codes[7]), 51)
    assert.equal(await server.end('SIGTERM'), 0)

    server = await start()
    assert.equal(await hits(server, codes[7]), 51)
    const late = await create(server, 'https://example.org/late')
    assert.equal(await server.end('SIGKILL'), null)

    server = await start()
    assert.equal((await follow(server, late)).headers.get('location'), 'https://example.org/late')
    assert.equal((await follow(server, codes[99])).headers.get('location'), urls[99])
    assert.equal(await server.end('SIGINT'), 0)
  })

  it('refuses what it should', async () => {
    const server = await start()
    const post = async (body: string): Promise<number> => (await fetch(server.origin, { method: 'POST', body })).status
    assert.equal(await post('javascript:alert(1)'), 400)
    assert.equal(await post('no address'), 400)
    assert.equal(await post(''), 400)
    assert.equal(await post(`https://example.org/${'x'.repeat(9000)}`), 413)
    for (const path of ['/', '/absent', '/absent/stats', '/a/b/c', '/%00']) {
      assert.equal((await fetch(`${server.origin}${path}`)).status, 404, path)
    }
    assert.equal((await fetch(`${server.origin}/x`, { method: 'DELETE' })).status, 404)
    assert.equal(await server.end('SIGTERM'), 0)
  })

  it('writes what is asked for at once in one group, and counts right meanwhile', async () => {
    const db = await open('/links', { environment: new MemoryEnvironment(), workers: 0 })
    const shortener = new Shortener(db)
    const groups = (): number => db.stats().writes.groups
    const codes = await Promise.all(urls.map((url) => shortener.create(url)))
    assert.equal(groups(), 1)
    const followed = Array.from({ length: 30 }, () => shortener.follow(codes[3])!)
    assert.equal(shortener.stats(codes[3])?.hits, 30)
    await Promise.all(followed.map(({ counted }) => counted))
    assert.equal(groups(), 2)
    assert.equal(shortener.stats(codes[3])?.hits, 30)
    assert.equal(shortener.follow('absent'), undefined)
    await db.close()
  })

  it('makes a code longer that is another address already', async () => {
    const db = await open('/links', { environment: new MemoryEnvironment(), workers: 0 })
    const shortener = new Shortener(db)
    const code = await shortener.create('https://example.org/')
    await db.put(`link/${code}`, JSON.stringify({ url: 'https://other.example/', createdAt: '' }))
    const longer = await shortener.create('https://example.org/')
    assert.ok(longer.length === code.length + 1 && longer.startsWith(code))
    assert.equal(shortener.follow(longer)?.url, 'https://example.org/')
    await db.close()
  })
})
