/**
 * The directory lock between containers: what they share is the volume, and neither the network nor the numbers of processes. They are
 * made with namespaces where that is permitted; otherwise, a container is what its /proc says.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LockedError } from '../../src/base/errors.ts'
import { open } from '../../src/db/open.ts'
import { formatHolder, type LockHolder, thisProcess } from '../../src/env/lock-holder.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { type Opener, startOpener } from './opener.ts'

const CONTAINER = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc']
const SOCKET = '.LOCK.socket'
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const { files } = nodeEnvironment()
const { syncBuiltinESMExports } = createRequire(import.meta.url)('node:module')
const builtin: typeof fs = createRequire(import.meta.url)('node:fs')

describe('containers that share a volume', { skip: process.platform !== 'linux' }, () => {
  let directory: string
  const children: ChildProcess[] = []
  const servers: Server[] = []

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'varve-lock-'))
  })
  afterEach(async () => {
    mock.restoreAll()
    syncBuiltinESMExports()
    for (const child of children.splice(0)) await kill(child)
    for (const server of servers.splice(0)) server.close()
    fs.rmSync(directory, { recursive: true })
  })

  /** Each in a container of its own. */
  function openInContainer(args: string[], kind: 'varve' | 'looker' = 'varve'): Promise<Opener> {
    return startOpener(kind, directory, ['unshare', ...args, process.execPath], children)
  }

  function lines(): string[] {
    return fs.readFileSync(join(directory, 'LOCK'), 'utf8').split('\n')
  }

  /** Somebody who listens in the directory, as a holder in a container does. */
  async function listen(): Promise<Server> {
    const server = createServer((connection) => connection.destroy())
    servers.push(server)
    server.listen(join(directory, SOCKET))
    await once(server, 'listening')
    return server
  }

  /** As if it were killed: its socket stays. */
  async function leave(server: Server): Promise<void> {
    fs.renameSync(join(directory, SOCKET), join(directory, 'kept'))
    server.close()
    await once(server, 'close')
    fs.renameSync(join(directory, 'kept'), join(directory, SOCKET))
  }

  it('exclude each other, and are seen from outside, until the holder is killed', async (t) => {
    const args = containerArgs()
    if (args === undefined) return t.skip('no permission to make namespaces')
    const { child, line } = await openInContainer(args)
    assert.equal(line, 'held')
    const named = /is held by process \d+ \(node lock-opener\.js\) since 2/
    assert.match((await openInContainer(args)).line, named)
    await assert.rejects(files.lock(directory), (error) => error instanceof LockedError && named.test(error.message))
    await kill(child)
    assert.deepEqual(fs.readdirSync(directory).sort(), [SOCKET, 'LOCK'])
    assert.equal((await openInContainer(args)).line, 'held')
  })

  it('have a socket in the directory for as long as they hold the lock', async () => {
    asInContainer()
    const lock = await files.lock(directory)
    const status = fs.lstatSync(join(directory, SOCKET))
    assert.deepEqual([status.isSocket(), status.mode & 0o777], [true, 0o600])
    assert.deepEqual(files.list(directory), ['LOCK'])
    lock.release()
    assert.deepEqual(fs.readdirSync(directory), ['LOCK'])
  })

  it('have none where something else has its name, and hold the lock all the same', async () => {
    asInContainer()
    const place = join(directory, SOCKET)
    fs.writeFileSync(place, 'mine')
    const lock = await files.lock(directory)
    lock.release()
    assert.equal(fs.readFileSync(place, 'utf8'), 'mine')
    fs.rmSync(place)
    fs.symlinkSync('nowhere', place)
    const other = await files.lock(directory)
    other.release()
    assert.equal(fs.readlinkSync(place), 'nowhere')
  })

  it('have none on a file system without sockets, though fake timers keep the error back', async () => {
    asInContainer()
    const { listen } = Server.prototype
    mock.method(Server.prototype, 'listen', function (this: Server, ...args: Parameters<typeof listen>) {
      if (String((args[0] as { path: string }).path).startsWith('\0')) return listen.apply(this, args)
      fs.writeFileSync(join(directory, SOCKET), '')
      process.nextTick(() => this.emit('error', Object.assign(new Error('none'), { code: 'EOPNOTSUPP' })))
      return this
    })
    const { nextTick } = process
    const ticks: Parameters<typeof nextTick>[] = []
    process.nextTick = (...task) => ticks.push(task)
    const lock = await files.lock(directory).finally(() => {
      process.nextTick = nextTick
      for (const task of ticks) nextTick(...task)
    })
    assert.deepEqual(fs.readdirSync(directory), ['LOCK'])
    lock.release()
  })

  it('are asked by all who may write LOCK', async () => {
    asInContainer()
    const lock = await nodeEnvironment({ fileMode: 0o660 }).files.lock(directory)
    assert.equal(fs.statSync(join(directory, SOCKET)).mode & 0o777, 0o660)
    lock.release()
  })

  it('are found however long the path is by which one looks', async () => {
    const long = join(directory, 'd'.repeat(100))
    fs.mkdirSync(long)
    const server = await listen()
    fs.renameSync(join(directory, SOCKET), join(long, SOCKET))
    await assert.rejects(files.lock(long), /is held by another opener/)
    server.close()
    await once(server, 'close')
    asInContainer()
    const lock = await files.lock(long)
    assert.deepEqual(fs.readdirSync(long), [SOCKET, 'LOCK'])
    lock.release()
    assert.deepEqual(fs.readdirSync(long), ['LOCK'])
  })

  it('leave the socket of whoever has the path after them', async () => {
    asInContainer()
    const path = join(directory, 'db')
    const moved = join(directory, 'moved')
    fs.mkdirSync(path)
    const first = await files.lock(path)
    fs.renameSync(path, moved)
    fs.mkdirSync(path)
    const second = await files.lock(path)
    first.release()
    assert.deepEqual([fs.readdirSync(moved), fs.readdirSync(path)], [['LOCK'], [SOCKET, 'LOCK']])
    second.release()
  })

  for (const isContainer of [false, true]) {
    it(`find a holder that answers, and not one that was killed: ${isContainer ? 'inside' : 'outside'}`, async () => {
      asInContainer(isContainer)
      const server = await listen()
      await assert.rejects(files.lock(directory), /is held by another opener/)
      fs.writeFileSync(join(directory, 'LOCK'), formatHolder(elsewhere()))
      await assert.rejects(files.lock(directory), /is held by process 7 \(node server\.js\) on c0ffee since 2026/)
      await leave(server)
      const lock = await files.lock(directory)
      assert.deepEqual(fs.readdirSync(directory), isContainer ? [SOCKET, 'LOCK'] : ['LOCK'])
      lock.release()
    })
  }

  for (const isContainer of [false, true]) {
    const where = isContainer ? 'inside' : 'outside'
    it(`find the one that came to listen while they asked after one that was killed: ${where}`, async () => {
      asInContainer(isContainer)
      const place = join(directory, SOCKET)
      await leave(await listen())
      fs.renameSync(place, join(directory, 'left'))
      await listen()
      fs.renameSync(place, join(directory, 'new'))
      fs.renameSync(join(directory, 'left'), place)
      const { lstatSync } = fs
      let looks = 0
      const look = mock.method(builtin, 'lstatSync', (path: string, options: fs.StatSyncOptions) => {
        // Once the other's socket has refused, and before whoever asked is told.
        if (path === place && looks++ === 0) process.nextTick(() => fs.renameSync(join(directory, 'new'), place))
        return lstatSync(path, options)
      })
      syncBuiltinESMExports()
      await assert.rejects(files.lock(directory), /is held by another opener/)
      look.mock.restore()
      assert.ok(looks > 1 && fs.lstatSync(place).isSocket())
    })
  }

  it('that got in together are told apart by the line in LOCK: the first stops before it changes a file', async () => {
    const db = await open(directory)
    await db.put('a', '1')
    await db.flush()
    await db.put('b', '2')
    const names = files.list(directory)
    for (const text of ['', 'nothing']) {
      fs.writeFileSync(join(directory, 'LOCK'), text)
      await db.checkpoint(join(directory, text || 'empty'))
    }
    fs.writeFileSync(join(directory, 'LOCK'), formatHolder(elsewhere()))
    fs.linkSync(join(directory, 'LOCK'), join(directory, 'another'))
    await db.checkpoint(join(directory, 'linked'))
    fs.rmSync(join(directory, 'another'))
    const { readSync } = fs
    mock.method(builtin, 'readSync', (fd: number, ...args: [Uint8Array]) => {
      if (fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('LOCK'))
        throw Object.assign(new Error('bad'), { code: 'EIO' })
      return readSync(fd, ...args)
    })
    syncBuiltinESMExports()
    await db.checkpoint(join(directory, 'unread'))
    mock.restoreAll()
    syncBuiltinESMExports()
    const told = /process 7 \(node server\.js\) on c0ffee since 2026.* has opened it as well/
    await assert.rejects(db.flush(), told)
    await assert.rejects(db.put('c', '3'), { code: 'READ_ONLY', message: told })
    await db.close()
    assert.equal(fs.readFileSync(join(directory, 'LOCK'), 'utf8'), formatHolder(elsewhere()))
    const kept = files.list(directory)
    for (const name of names) assert.ok(kept.includes(name), `${name} is gone`)
  })

  it('and only look, do not stop the holder that they cannot see', async (t) => {
    const args = containerArgs()
    if (args === undefined) return t.skip('no permission to make namespaces')
    const db = await open(directory)
    await db.put('a', '1')
    await db.flush()
    const before = lines()
    const warned = new RegExp(
      `warning: .*whether process ${process.pid} .*since 2.* has ended cannot be seen from here`,
    )
    for (const command of [['verify'], ['repair', '--dry-run']]) {
      assert.match(String(execFileSync('unshare', [...args, process.execPath, MAIN, ...command, directory])), warned)
    }
    assert.deepEqual(lines(), before)
    const { child, line } = await openInContainer(args, 'looker')
    assert.equal(line, 'held')
    assert.equal(lines()[0], before[0])
    const { pid, since } = JSON.parse(lines()[1])
    const looker = new RegExp(`is held by process ${pid} \\(node lock-opener\\.js\\) since ${since}`)
    assert.match((await openInContainer(args)).line, looker)
    await db.put('b', '2')
    await db.flush()
    await kill(child)
    await db.put('c', '3')
    await db.close()
    assert.deepEqual(lines(), [''])
  })

  it('and only look, leave LOCK as it was, or as others have made it since', async () => {
    const line = formatHolder(elsewhere())
    for (const before of ['', 'nothing', `${line}\n`, `${line}\n{"pid":5}\n`]) {
      fs.writeFileSync(join(directory, 'LOCK'), before)
      const lock = await files.lock(directory, true)
      const [first, second] = lines()
      assert.deepEqual([first, JSON.parse(second).pid], [before.startsWith(line) ? line : '', process.pid])
      await assert.rejects(files.lock(directory), new RegExp(`is held by this process, process ${process.pid} `))
      lock.release()
      assert.deepEqual(lines(), before.startsWith(line) ? [line, ''] : [''])
      const other = await files.lock(directory, true)
      fs.writeFileSync(join(directory, 'LOCK'), 'short')
      other.check?.()
      other.release()
      assert.deepEqual(lines(), ['short'])
    }
  })

  it('and only look, find a writer that came after them, though the disk is full, and leave its line', async () => {
    const line = formatHolder(elsewhere())
    for (const isFull of [false, true]) {
      const { writeSync } = fs
      if (isFull) {
        mock.method(builtin, 'writeSync', () => {
          throw Object.assign(new Error('full'), { code: 'ENOSPC' })
        })
        syncBuiltinESMExports()
      }
      const lock = await files.lock(directory, true)
      lock.check?.()
      mock.restoreAll()
      syncBuiltinESMExports()
      assert.equal(fs.writeSync, writeSync)
      fs.writeFileSync(join(directory, 'LOCK'), `${line}\n`)
      const told = /process 7 \(node server\.js\) on c0ffee since 2026.* has opened it as well/
      assert.throws(() => lock.check?.(), { code: 'IO_ERROR', message: told })
      lock.release()
      assert.deepEqual(lines(), [line, ''])
      fs.rmSync(join(directory, 'LOCK'))
    }
  })

  it('and only look, have a line of their own once there is room, behind that of whom they cannot see', async () => {
    const line = formatHolder(elsewhere())
    fs.writeFileSync(join(directory, 'LOCK'), `${line}\n`)
    mock.method(builtin, 'writeSync', () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    })
    syncBuiltinESMExports()
    const lock = await files.lock(directory, true)
    mock.restoreAll()
    syncBuiltinESMExports()
    assert.deepEqual(lines(), [line, ''])
    lock.check?.()
    assert.deepEqual([lines()[0], JSON.parse(lines()[1]).pid], [line, process.pid])
    lock.release()
    assert.deepEqual(lines(), [line, ''])
  })
})

function elsewhere(): LockHolder {
  const since = '2026-05-01T10:00:00.000Z'
  return { ...thisProcess('net:[1]'), pid: 7, host: 'c0ffee', numbers: 'pid:[1]', since, program: 'node server.js' }
}

/** What Linux says of a process in a container, or of one that is in none. */
function asInContainer(isContainer = true): void {
  const { readlinkSync } = fs
  const numbers = isContainer ? 'pid:[4026532999]' : 'pid:[4026531836]'
  mock.method(builtin, 'readlinkSync', (path: string) => (path === '/proc/self/ns/pid' ? numbers : readlinkSync(path)))
  syncBuiltinESMExports()
}

/** How this user may make a container, if at all. */
function containerArgs(): string[] | undefined {
  return [CONTAINER, ['--user', '--map-root-user', ...CONTAINER]].find((args) => {
    try {
      execFileSync('unshare', [...args, 'true'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

/** Until nobody has its output any more: what is in the container ends after what made it. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.stdout!.destroyed) return
  child.kill('SIGKILL')
  await once(child, 'close')
}
