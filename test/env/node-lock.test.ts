/**
 * The directory lock: exactly one opener at a time, over threads, processes and engines. What each party sees is checked
 * with real processes, and with a real LevelDB (classic-level).
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ClassicLevel } from 'classic-level'
import { IOError, LockedError } from '../../src/base/errors.ts'
import { formatHolder, thisProcess } from '../../src/env/lock-holder.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { OPENER, type Opener, startOpener } from './opener.ts'

const { files } = nodeEnvironment()
const { syncBuiltinESMExports } = createRequire(import.meta.url)('node:module')
const builtin: typeof fs = createRequire(import.meta.url)('node:fs')

describe('the lock on Linux', { skip: process.platform !== 'linux' }, () => {
  let directory: string
  const children: ChildProcess[] = []

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'varve-lock-'))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child)
    fs.rmSync(directory, { recursive: true })
  })

  function openIn(kind: 'varve' | 'looker' | 'level', prefix: string[] = []): Promise<Opener> {
    return startOpener(kind, directory, [...prefix, process.execPath], children)
  }

  function lockText(): string {
    return fs.readFileSync(join(directory, 'LOCK'), 'utf8')
  }

  it('has a socket whose name is as long as one can be: Node 20 fills a shorter one up, and newer ones do not', async () => {
    const { dev } = fs.statSync(directory)
    const lock = await files.lock(directory)
    const name = `@varve-lock-${dev}-${fs.statSync(join(directory, 'LOCK')).ino}`
    const [line] = fs
      .readFileSync('/proc/net/unix', 'latin1')
      .split('\n')
      .filter((text) => text.includes(`${name}-`))
    assert.equal(line.slice(line.indexOf('@')), name.padEnd(108, '-'))
    lock.release()
  })

  it('names its holder in LOCK while held, and nobody after', async () => {
    const lock = await files.lock(directory)
    const holder = JSON.parse(lockText())
    assert.equal(holder.pid, process.pid)
    assert.equal(holder.boot, fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    assert.ok(Date.parse(holder.since) <= Date.now())
    assert.equal(fs.statSync(join(directory, 'LOCK')).mode & 0o777, 0o600)
    lock.release()
    assert.equal(lockText(), '')
  })

  it('is taken, and refused, while fake timers keep process.nextTick from doing anything', async () => {
    const { child, line } = await openIn('varve')
    assert.equal(line, 'held')
    const { nextTick } = process
    process.nextTick = () => {}
    try {
      await assert.rejects(files.lock(directory), LockedError)
      await kill(child)
      const lock = await files.lock(directory)
      lock.release()
    } finally {
      process.nextTick = nextTick
    }
  })

  it('is free once it was released, though its file could not be closed', async () => {
    const lock = await files.lock(directory)
    const path = fs.realpathSync(join(directory, 'LOCK'))
    const fd = fs.readdirSync('/proc/self/fd').find((name) => linkOf(`/proc/self/fd/${name}`) === path)
    fs.closeSync(Number(fd))
    assert.throws(() => lock.release(), { code: 'IO_ERROR', message: /cannot close .*LOCK/ })
    const again = await files.lock(directory)
    again.release()
  })

  it('is refused to a second opener in the process, naming it', async () => {
    const lock = await files.lock(directory)
    await assert.rejects(files.lock(directory), (error) => {
      assert.ok(error instanceof LockedError)
      assert.equal(error.file, directory)
      assert.match(
        error.message,
        new RegExp(`^${directory} is held by this process, process ${process.pid} \\(.+\\) since 2`),
      )
      return true
    })
    lock.release()
  })

  it('is refused to a second opener though LOCK was removed under the first, and free once that has released it', async () => {
    const held = await files.lock(directory)
    fs.unlinkSync(join(directory, 'LOCK'))
    await assert.rejects(files.lock(directory), {
      code: 'LOCKED',
      message: /another opener, under whom LOCK was removed/,
    })
    held.release()
    const next = await files.lock(directory)
    next.release()
  })

  it('is one lock, by whatever path the directory is reached', async () => {
    const link = `${directory}-link`
    fs.symlinkSync(directory, link)
    const lock = await files.lock(directory)
    await assert.rejects(files.lock(link), LockedError)
    await assert.rejects(files.lock(`${directory}/.`), LockedError)
    lock.release()
    fs.unlinkSync(link)
  })

  it('goes to exactly one of many who ask at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => files.lock(directory)))
    const winners = results.filter((result) => result.status === 'fulfilled')
    assert.equal(winners.length, 1)
    winners[0].value.release()
  })

  it('goes to exactly one of many processes and threads, which the others name or at least know of', async () => {
    const threads = [1, 2].map(() => new Worker(OPENER, { argv: ['varve', directory] }))
    const heard = threads.map(async (thread) => String((await once(thread, 'message'))[0]))
    const spawned = [1, 2, 3, 4].map(async () => (await openIn('varve')).line)
    const lines = await Promise.all([...heard, ...spawned])
    assert.deepEqual(lines.map((line) => line.split(' ')[0]).sort(), [...Array(5).fill('LOCKED'), 'held'])
    for (const thread of threads) await thread.terminate()
  })

  it('is refused to another thread, and free once a thread that held it is gone', async () => {
    const lock = await files.lock(directory)
    const refused = new Worker(OPENER, { argv: ['varve', directory] })
    assert.match((await once(refused, 'message'))[0], new RegExp(`^LOCKED .* process ${process.pid} `))
    await refused.terminate()
    lock.release()

    const holding = new Worker(OPENER, { argv: ['varve', directory] })
    assert.equal((await once(holding, 'message'))[0], 'held')
    await assert.rejects(files.lock(directory), LockedError)
    await holding.terminate()
    ;(await files.lock(directory)).release()
  })

  it('is refused to another process, naming the holder', async () => {
    const lock = await files.lock(directory)
    const { line } = await openIn('varve')
    assert.match(line, new RegExp(`^LOCKED ${directory} is held by process ${process.pid} \\(`))
    lock.release()
    assert.equal((await openIn('varve')).line, 'held')
  })

  it('can be taken once its holder was killed, whatever its LOCK file says', async () => {
    const { child, line } = await openIn('varve')
    assert.equal(line, 'held')
    await assert.rejects(
      files.lock(directory),
      new RegExp(`held by process ${child.pid} \\(node lock-opener\\.js\\) since 2`),
    )
    await kill(child)
    assert.equal(JSON.parse(lockText()).pid, child.pid)
    const lock = await files.lock(directory)
    assert.equal(JSON.parse(lockText()).pid, process.pid)
    lock.release()
  })

  it('is taken over text in LOCK that says nothing', async () => {
    const texts = [
      '',
      'null',
      '[]',
      '{"pid":"1"}',
      '{"pid":-1}',
      `{"pid":${process.pid}}`,
      '\0'.repeat(100),
      'x'.repeat(9000),
    ]
    // A holder in another network namespace that is dead: its process number has a new owner.
    texts.push(
      formatHolder({ ...thisProcess('net:[1]'), started: '1' }),
      formatHolder({ ...thisProcess('net:[1]'), boot: 'b' }),
    )
    // This process holds nothing here, so that its own socket's absence proves the line stale.
    texts.push(formatHolder(thisProcess(fs.readlinkSync('/proc/self/ns/net'))))
    for (const text of texts) {
      fs.writeFileSync(join(directory, 'LOCK'), text)
      ;(await files.lock(directory)).release()
    }
  })

  it('is refused while a holder in another network namespace lives', async (t) => {
    if (!canUnshare()) return t.skip('no permission to make a network namespace')
    for (const kind of ['varve', 'looker'] as const) {
      const { child, line } = await openIn(kind, ['unshare', '--net'])
      assert.equal(line, 'held')
      const { pid } = JSON.parse(lockText())
      for (const onlyLooks of [false, true])
        await assert.rejects(files.lock(directory, onlyLooks), new RegExp(`held by process ${pid} `))
      await kill(child)
      ;(await files.lock(directory)).release()
    }
  })

  it('is refused while LevelDB in another process holds it, naming that process and since when it has run', async () => {
    const { child, line } = await openIn('level')
    assert.equal(line, 'held')
    await assert.rejects(files.lock(directory), (error) => {
      assert.ok(error instanceof LockedError)
      assert.match(error.message, new RegExp(`held by process ${child.pid} \\(node .+\\), which has run since 2`))
      return true
    })
    await kill(child)
    ;(await files.lock(directory)).release()
  })

  it('is refused while LevelDB holds it, also if there are no descriptors for a look at who does', async () => {
    await openIn('level')
    const { readFileSync } = builtin
    mock.method(builtin, 'readFileSync', (path: string, encoding: 'utf8') => {
      if (path === '/proc/locks') throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
      return readFileSync(path, encoding)
    })
    syncBuiltinESMExports()
    try {
      await assert.rejects(files.lock(directory), { code: 'IO_ERROR', message: /^cannot open \/proc\/locks: .*EMFILE/ })
    } finally {
      mock.restoreAll()
      syncBuiltinESMExports()
    }
    await assert.rejects(files.lock(directory), LockedError)
  })

  it('is refused, and not taken without a socket, if there are no descriptors for one', async () => {
    for (const socket of [0, 1]) {
      let asked = 0
      const { listen } = Server.prototype
      mock.method(Server.prototype, 'listen', function (this: Server, ...args: Parameters<typeof listen>) {
        if (asked++ !== socket) return listen.apply(this, args)
        queueMicrotask(() => this.emit('error', Object.assign(new Error('too many'), { code: 'EMFILE' })))
        return this
      })
      await assert.rejects(files.lock(directory), { code: 'IO_ERROR', message: /^cannot lock .*LOCK: .*\(EMFILE\)$/ })
      mock.restoreAll()
      const lock = await files.lock(directory)
      lock.release()
    }
  })

  it('is refused while LevelDB in this process holds it, and leaves its lock intact', async () => {
    const level = new ClassicLevel(directory)
    await level.open()
    for (let i = 0; i < 3; i++) {
      await assert.rejects(
        files.lock(directory),
        (error) => error instanceof LockedError && error.message.includes(`this process, process ${process.pid} `),
      )
    }
    assert.match((await openIn('level')).line, /^LEVEL_LOCKED /)
    assert.match((await openIn('varve')).line, new RegExp(`^LOCKED .* process ${process.pid} `))
    await level.close()
    ;(await files.lock(directory)).release()
  })

  it('once released, and killed, leaves a directory that LevelDB opens', async () => {
    ;(await files.lock(directory)).release()
    const level = new ClassicLevel(directory)
    await level.open()
    await level.close()
    const { child, line } = await openIn('varve')
    assert.equal(line, 'held')
    await kill(child)
    await level.open()
    await level.close()
  })

  it('does not drop the lock of a LevelDB that came in under it, when it is released', async (t) => {
    const lock = await files.lock(directory)
    const level = new ClassicLevel(directory)
    try {
      await level.open()
    } catch {
      lock.release()
      return t.skip('with fs-native-extensions no LevelDB comes in')
    }
    lock.release()
    assert.match((await openIn('level')).line, /^LEVEL_LOCKED /)
    await level.close()
  })

  it('is had on a full disk, excludes others, and names its holder once there is room', async () => {
    const { writeSync } = fs
    let isFull = true
    mock.method(builtin, 'writeSync', (...args: Parameters<typeof writeSync>) => {
      if (isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      return writeSync(...args)
    })
    syncBuiltinESMExports()
    try {
      const lock = await files.lock(directory)
      assert.equal(lockText(), '')
      assert.match((await openIn('varve')).line, /^LOCKED .* is held by another opener/)
      lock.check?.()
      isFull = false
      lock.check?.()
      assert.equal(JSON.parse(lockText()).pid, process.pid)
      assert.match((await openIn('varve')).line, new RegExp(`process ${process.pid} `))
      lock.release()
      assert.equal(lockText(), '')
    } finally {
      mock.restoreAll()
      syncBuiltinESMExports()
    }
  })

  it('is refused on a full disk where nothing but the line in LOCK would keep others out', async () => {
    mock.method(builtin, 'writeSync', () => {
      throw Object.assign(new Error('full'), { code: 'EDQUOT' })
    })
    mock.method(Server.prototype, 'listen', function (this: Server) {
      queueMicrotask(() => this.emit('error', Object.assign(new Error('denied'), { code: 'EPERM' })))
      return this
    })
    syncBuiltinESMExports()
    try {
      await assert.rejects(files.lock(directory), /cannot write .*LOCK: .*EDQUOT/)
    } finally {
      mock.restoreAll()
      syncBuiltinESMExports()
    }
    const lock = await files.lock(directory)
    lock.release()
  })

  it('needs no room for a line in LOCK where one has been left', async () => {
    const before = formatHolder({ ...thisProcess(''), pid: 2 ** 22 + 1, program: 'p'.repeat(64) })
    fs.writeFileSync(join(directory, 'LOCK'), before)
    const lengths: number[] = []
    const { writeSync } = fs
    mock.method(builtin, 'writeSync', (...args: Parameters<typeof writeSync>) => {
      lengths.push(lockText().length)
      return writeSync(...args)
    })
    syncBuiltinESMExports()
    try {
      const lock = await files.lock(directory)
      assert.deepEqual(lengths, [before.length])
      assert.equal(JSON.parse(lockText()).pid, process.pid)
      lock.release()
    } finally {
      mock.restoreAll()
      syncBuiltinESMExports()
    }
  })

  it('is refused where LOCK is no regular file, without hanging or following', async () => {
    const path = join(directory, 'LOCK')
    execFileSync('mkfifo', [path])
    await assert.rejects(files.lock(directory), /it is not a regular file/)
    fs.unlinkSync(path)
    fs.symlinkSync(join(directory, 'elsewhere'), path)
    await assert.rejects(files.lock(directory), IOError)
    assert.equal(fs.existsSync(join(directory, 'elsewhere')), false)
    fs.unlinkSync(path)
    fs.mkdirSync(path)
    await assert.rejects(files.lock(directory), IOError)
  })

  it('needs a directory', async () => {
    await assert.rejects(files.lock(join(directory, 'none')), /no such file or directory \(ENOENT\)/)
  })

  it('works under the permission model, with nothing but the directory', () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const env = new URL('../../src/env/node-env.js', import.meta.url).href
    const program = `import { nodeEnvironment } from '${env}'
      const { files } = nodeEnvironment()
      const codeOf = (call) => call.then(() => 'its', ({ code }) => code)
      const atOnce = [1, 2].map(() => codeOf(files.lock(process.argv[1])))
      console.log((await Promise.all(atOnce)).sort().join(), await codeOf(files.lock(process.argv[1])))
      process.exit()`
    const build = fileURLToPath(new URL('../../', import.meta.url))
    const allow = [`--allow-fs-read=${directory}/*`, `--allow-fs-read=${build}*`, `--allow-fs-write=${directory}/*`]
    const args = [flag, ...allow, '--no-warnings', '--input-type=module', '-e', program, directory]
    assert.equal(execFileSync(process.execPath, args, { timeout: 60_000 }).toString(), 'LOCKED,its LOCKED\n')
  })
})

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Where a symbolic link leads; undefined if it is gone. */
function linkOf(path: string): string | undefined {
  try {
    return fs.readlinkSync(path)
  } catch {
    return undefined
  }
}
