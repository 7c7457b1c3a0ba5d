/** What the operating system adds to the FileSystem contract: odd kinds of files, permissions, full disks. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { IOError, systemErrorCode } from '../../src/base/errors.ts'
import { open } from '../../src/db/open.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'

const onPosix = { skip: process.platform === 'win32' }
/** node:fs as an object whose functions can be replaced; the engine's imports see the replacement after a sync. */
const { syncBuiltinESMExports } = createRequire(import.meta.url)('node:module')
const builtin: typeof fs = createRequire(import.meta.url)('node:fs')

describe('node files', () => {
  const { files, clock, random32, later } = bound()
  let directory: string

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'varve-node-'))
  })
  afterEach(() => {
    mock.restoreAll()
    syncBuiltinESMExports()
    fs.rmSync(directory, { recursive: true })
  })

  it('refuses options that there are not, and permissions that are none', () => {
    for (const options of [
      { fileModes: 0o600 },
      { workers: 1 },
      { fileMode: 'rw' },
      { fileMode: 640 },
      { fileMode: -1 },
    ]) {
      assert.throws(() => nodeEnvironment(options as object), { code: 'INVALID_ARGUMENT' }, JSON.stringify(options))
    }
    for (const options of [{ directoryMode: '700' }, { directoryMode: 0.5 }, { directoryMode: null }, null, 7]) {
      assert.throws(() => nodeEnvironment(options as object), { code: 'INVALID_ARGUMENT' }, JSON.stringify(options))
    }
    nodeEnvironment({ directoryMode: undefined, fileMode: 0, worker: undefined })
  })

  it('refuses a FIFO named like a log without waiting for a writer', onPosix, () => {
    const fifo = join(directory, '000001.log')
    execFileSync('mkfifo', [fifo])
    assert.throws(() => files.openRandomAccess(fifo), /000001\.log: it is not a regular file/)
    assert.equal(files.status(fifo)?.kind, 'other')
  })

  it('knows a quota that is used up, and a file that a network has lost, by the numbers that Node has no names for', () => {
    const file = files.createWritable(join(directory, '000001.log'))
    for (const [errno, code, message] of [
      [-122, 'UNKNOWN', /cannot write .*000001\.log: the disk quota is used up \(EDQUOT\)/],
      [-69, 'Unknown system error -69', /\(EDQUOT\)/],
      [-116, 'Unknown system error -116', /the network file system has lost the file \(ESTALE\)/],
    ] as const) {
      mock.method(builtin, 'openSync', () => {
        throw Object.assign(new Error('unknown error'), { code, errno })
      })
      mock.method(builtin, 'writeSync', builtin.openSync)
      syncBuiltinESMExports()
      const name = errno === -116 ? 'ESTALE' : 'EDQUOT'
      const isNamed = (error: unknown): boolean => systemErrorCode(error) === name
      assert.throws(() => files.openRandomAccess(join(directory, '000002.log')), isNamed)
      if (errno === -122) assert.throws(() => file.append(new Uint8Array(1), 0, 1), message)
      else assert.throws(() => files.createWritable(join(directory, '000003.log')), message)
      mock.restoreAll()
    }
    syncBuiltinESMExports()
    file.close()
  })

  it('refuses symbolic links, to read and to create', onPosix, () => {
    const target = join(directory, 'target')
    const link = join(directory, '000001.ldb')
    const dangling = join(directory, '000002.ldb')
    fs.writeFileSync(target, 'secret')
    fs.symlinkSync(target, link)
    fs.symlinkSync(join(directory, 'nowhere'), dangling)
    assert.throws(() => files.openRandomAccess(link), code('ELOOP'))
    assert.throws(() => files.createWritable(dangling), code('EEXIST'))
    assert.equal(files.status(link)?.kind, 'other')
    assert.equal(fs.existsSync(join(directory, 'nowhere')), false)
  })

  const umasks: [number, number, number][] = [
    [0o000, 0o700, 0o600],
    [0o022, 0o700, 0o600],
    [0o077, 0o700, 0o600],
    [0o277, 0o500, 0o400],
  ]
  for (const [umask, directoryMode, fileMode] of umasks) {
    it(`makes directories and files for their owner alone under umask ${umask.toString(8)}`, onPosix, () => {
      const before = process.umask(umask)
      try {
        const made = join(directory, 'x')
        files.makeDirectory(made)
        files.createWritable(join(directory, 'f')).close()
        assert.equal(fs.statSync(made).mode & 0o777, directoryMode)
        assert.equal(fs.statSync(join(directory, 'f')).mode & 0o777, fileMode)
      } finally {
        process.umask(before)
      }
    })
  }

  it('takes other permissions when told, and leaves those of what exists alone', onPosix, () => {
    const before = process.umask(0o022)
    try {
      fs.chmodSync(directory, 0o755)
      const open = nodeEnvironment({ directoryMode: 0o777, fileMode: 0o666 }).files
      open.makeDirectory(join(directory, 'a', 'b'))
      open.createWritable(join(directory, 'f')).close()
      files.makeDirectory(directory)
      for (const made of ['a', join('a', 'b'), '.']) {
        assert.equal(fs.statSync(join(directory, made)).mode & 0o777, 0o755)
      }
      assert.equal(fs.statSync(join(directory, 'f')).mode & 0o777, 0o644)
    } finally {
      process.umask(before)
    }
  })

  it('syncs the parent of every directory it makes', onPosix, () => {
    const opened = mock.method(builtin, 'openSync')
    const synced = mock.method(builtin, 'fsyncSync')
    syncBuiltinESMExports()
    files.makeDirectory(join(directory, 'a', 'b'))
    assert.deepEqual(
      opened.mock.calls.map((call) => call.arguments[0]),
      [join(directory, 'a'), directory],
    )
    assert.equal(synced.mock.callCount(), 2)
  })

  it('says why a directory cannot be made, and not that it is not there', onPosix, () => {
    // As Node does on a full disk and on one that is read-only: what fails is recursive mkdir's own look at the directory.
    const make = (path: string, { recursive }: fs.MakeDirectoryOptions): never => {
      throw Object.assign(new Error(path), { code: recursive ? 'ENOENT' : 'ENOSPC' })
    }
    mock.method(builtin, 'mkdirSync', make)
    syncBuiltinESMExports()
    assert.throws(() => files.makeDirectory(join(directory, 'a', 'b')), code('ENOSPC'))
  })

  it('makes a directory that another process makes at the same time', onPosix, () => {
    const { mkdirSync } = builtin
    mock.method(builtin, 'mkdirSync', (path: string, options: fs.MakeDirectoryOptions) => {
      mkdirSync(path, options)
      return mkdirSync(path, options)
    })
    syncBuiltinESMExports()
    files.makeDirectory(join(directory, 'a', 'b'))
    assert.equal(files.status(join(directory, 'a', 'b'))?.kind, 'directory')
  })

  it('does not try for ever to make a directory in /proc', { skip: process.platform !== 'linux' }, () => {
    const url = new URL('../../src/env/node-env.js', import.meta.url).href
    const program = `import { nodeEnvironment } from '${url}'
      try { nodeEnvironment().files.makeDirectory('/proc/varve') } catch (error) { console.log(error.cause.code) }`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
    assert.equal(output.toString(), 'ENOENT\n')
  })

  it('continues short writes and short reads', () => {
    const { writeSync, readSync } = builtin
    const three = (n: number): number => Math.min(n, 3)
    const write = mock.method(builtin, 'writeSync', (fd: number, bytes: Uint8Array, offset: number, length: number) =>
      writeSync(fd, bytes, offset, three(length)),
    )
    mock.method(builtin, 'readSync', (fd: number, into: Uint8Array, offset: number, length: number, at: number) =>
      readSync(fd, into, offset, three(length), at),
    )
    syncBuiltinESMExports()
    const bytes = new TextEncoder().encode('..0123456789.')
    const file = files.createWritable(join(directory, 'a'))
    file.append(bytes, 2, 10)
    file.close()
    assert.equal(write.mock.callCount(), 4)
    const into = new Uint8Array(10)
    const opened = files.openRandomAccess(join(directory, 'a'))
    opened.read(0, into, 0, 10)
    opened.close()
    assert.equal(new TextDecoder().decode(into), '0123456789')
  })

  it('begins a read again that a signal interrupted', () => {
    fs.writeFileSync(join(directory, 'a'), '0123')
    const { readSync } = builtin
    let interruptions = 2
    mock.method(builtin, 'readSync', (...read: Parameters<typeof fs.readSync>) => {
      if (interruptions-- > 0) throw Object.assign(new Error('interrupted'), { code: 'EINTR' })
      return readSync(...read)
    })
    syncBuiltinESMExports()
    const file = files.openRandomAccess(join(directory, 'a'))
    const into = new Uint8Array(4)
    file.read(0, into, 0, 4)
    file.close()
    assert.equal(Buffer.from(into).toString(), '0123')
  })

  it('reports a disk that fills up in the middle of an append, and takes no more into that file', () => {
    const { writeSync } = builtin
    let room = 4
    mock.method(builtin, 'writeSync', (fd: number, bytes: Uint8Array, offset: number, length: number) => {
      if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      const count = writeSync(fd, bytes, offset, Math.min(length, room))
      room -= count
      return count
    })
    syncBuiltinESMExports()
    const path = join(directory, '000003.log')
    const file = files.createWritable(path)
    assert.throws(
      () => file.append(new Uint8Array(10), 0, 10),
      (error) =>
        error instanceof IOError &&
        error.message === `cannot write ${path}: no space left on device (ENOSPC)` &&
        error.file === path &&
        systemErrorCode(error) === 'ENOSPC',
    )
    room = 100
    assert.throws(() => file.append(new Uint8Array(1), 0, 1), code('ENOSPC'))
    assert.throws(() => file.sync(), /an earlier write or sync of it failed/)
    file.close()
    assert.equal(fs.statSync(path).size, 4)
  })

  it('never syncs a file again whose sync has failed', async () => {
    const failing = mock.method(builtin, 'fdatasyncSync', () => {
      throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    })
    const later = mock.method(builtin, 'fdatasync')
    syncBuiltinESMExports()
    const file = files.createWritable(join(directory, 'a'))
    assert.throws(() => file.sync(), code('EIO'))
    assert.throws(() => file.sync(), code('EIO'))
    await assert.rejects(file.syncLater(), code('EIO'))
    assert.throws(() => file.append(new Uint8Array(1), 0, 1), code('EIO'))
    file.close()
    assert.equal(failing.mock.callCount() + later.mock.callCount(), 1)
  })

  it('rejects a syncLater whose sync fails, and refuses the next', async () => {
    mock.method(builtin, 'fdatasync', (_fd: number, done: (error: Error | null) => void) => {
      setImmediate(() => done(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })))
    })
    syncBuiltinESMExports()
    const file = files.createWritable(join(directory, 'a'))
    await assert.rejects(file.syncLater(), code('EIO'))
    assert.throws(() => file.sync(), code('EIO'))
    file.close()
  })

  describe('where an error of writing back is told once to each descriptor', {
    skip: process.platform !== 'linux',
  }, () => {
    let isLost = false
    const told = new Set<number>()
    const sync = (fd: number): Error | null => {
      if (!isLost || told.has(fd)) return null
      told.add(fd)
      return Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    }

    beforeEach(() => {
      isLost = false
      told.clear()
      mock.method(builtin, 'fdatasync', (fd: number, done: (error: Error | null) => void) => {
        const error = sync(fd)
        setImmediate(() => done(error))
      })
      mock.method(builtin, 'fdatasyncSync', (fd: number) => {
        const error = sync(fd)
        if (error !== null) throw error
      })
      syncBuiltinESMExports()
    })

    it('tells of one by a sync beside a syncLater that has been told, and has not come back', async () => {
      const file = files.createWritable(join(directory, 'a'))
      isLost = true
      const synced = file.syncLater()
      assert.throws(() => file.sync(), code('EIO'))
      await assert.rejects(synced, code('EIO'))
      file.close()
    })

    it('so that a database acknowledges no synchronous write, and none before it, beside a sync that has failed', async () => {
      const held: (() => void)[] = []
      mock.method(builtin, 'fdatasync', (fd: number, done: (error: Error | null) => void) => {
        const error = sync(fd)
        held.push(() => done(error))
      })
      syncBuiltinESMExports()
      const db = await open(join(directory, 'db'), { environment: nodeEnvironment(), workers: 0, durability: 'disk' })
      isLost = true
      const outcome = assert.rejects(db.put('a', '1'), { outcome: 'indeterminate' })
      while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
      assert.throws(() => db.putSync('b', '2'), { code: 'READ_ONLY', outcome: 'not-written' })
      await outcome
      for (const end of held) end()
      await db.close()
    })

    it('syncs at once where there is no other descriptor of the file to be had', async () => {
      for (const replace of [false, true]) {
        const path = join(directory, `${replace}`)
        const file = files.createWritable(path)
        fs.renameSync(path, join(directory, `renamed ${replace}`))
        if (replace) files.createWritable(path).close()
        isLost = true
        told.clear()
        await assert.rejects(file.syncLater(), code('EIO'))
        assert.throws(() => file.sync(), code('EIO'))
        file.close()
        isLost = false
      }
      const later = builtin.fdatasync as unknown as { mock: { callCount(): number } }
      assert.equal(later.mock.callCount(), 0)
    })
  })

  it('keeps the descriptor while a syncLater runs, and tells an error of the close through its promise', async () => {
    let closed = 0
    const { closeSync } = builtin
    const file = files.createWritable(join(directory, 'a'))
    mock.method(builtin, 'closeSync', (fd: number) => {
      closeSync(fd)
      closed++
      throw Object.assign(new Error('EDQUOT: quota exceeded, close'), { code: 'EDQUOT' })
    })
    syncBuiltinESMExports()
    const synced = file.syncLater()
    file.close()
    assert.equal(closed, 0)
    await assert.rejects(synced, code('EDQUOT'))
    // The one for syncs beside it, too.
    assert.equal(closed, process.platform === 'linux' ? 2 : 1)
  })

  describe('syncAhead', { skip: process.platform !== 'linux' }, () => {
    const failure = (): Error => Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    /** Syncs that were begun, by descriptor, and how to end each. */
    const begun = new Map<number, (error: Error | null) => void>()

    beforeEach(() => {
      begun.clear()
      mock.method(builtin, 'fdatasync', (fd: number, done: (error: Error | null) => void) => begun.set(fd, done))
      syncBuiltinESMExports()
    })

    /** End all, and wait until their descriptors are closed, which only then let others begin. */
    function endAll(error: Error | null): void {
      const closed = mock.method(builtin, 'close', (fd: number, done: () => void) => {
        builtin.closeSync(fd)
        done()
      })
      syncBuiltinESMExports()
      for (const done of begun.values()) done(error)
      assert.deepEqual(
        closed.mock.calls.map(({ arguments: [fd] }) => fd),
        [...begun.keys()],
      )
    }

    it('has a descriptor of its own, and leaves it to sync to tell of a failure', () => {
      const synced = mock.method(builtin, 'fdatasyncSync', () => {
        throw failure()
      })
      syncBuiltinESMExports()
      const file = files.createWritable(join(directory, 'a'))
      file.syncAhead?.()
      endAll(failure())
      file.append(new Uint8Array(1), 0, 1)
      assert.throws(() => file.sync(), code('EIO'))
      file.close()
      assert.equal(begun.has(Number(synced.mock.calls[0].arguments[0])), false)
    })

    it('begins few syncs while none of them ends, then others', () => {
      const file = files.createWritable(join(directory, 'a'))
      for (let i = 0; i < 100; i++) file.syncAhead?.()
      assert.equal(begun.size, 16)
      endAll(null)
      begun.clear()
      file.syncAhead?.()
      assert.equal(begun.size, 1)
      endAll(null)
      file.close()
    })

    it('does nothing for a file that is gone', () => {
      const file = files.createWritable(join(directory, 'a'))
      fs.unlinkSync(join(directory, 'a'))
      file.syncAhead?.()
      file.close()
      assert.equal(begun.size, 0)
    })
  })

  it('leaves no descriptor open', { skip: process.platform !== 'linux' }, async () => {
    const count = (): number => fs.readdirSync('/proc/self/fd').length
    const lock = await files.lock(directory)
    lock.release()
    const before = count()
    for (let i = 0; i < 20; i++) {
      const held = await files.lock(directory)
      await assert.rejects(files.lock(directory), { code: 'LOCKED' })
      held.release()
      assert.throws(() => files.openRandomAccess(directory), { code: 'IO_ERROR' })
      files.createWritable(join(directory, `${i}`)).close()
      files.makeDirectory(join(directory, `d${i}`, 'e'))
      files.syncDirectory(directory)
    }
    assert.equal(count(), before)
  })

  it('has a clock that does not go back, timers that can be cancelled, and random bits', async () => {
    const start = clock.monotonicMs()
    assert.ok(Math.abs(clock.wallMs() - Date.now()) < 10_000)
    const ran: string[] = []
    const cancel = later(1, () => ran.push('cancelled'), true)
    cancel()
    await new Promise<void>((resolve) => later(2, resolve, true))
    assert.deepEqual(ran, [])
    assert.ok(clock.monotonicMs() > start)
    const drawn = new Set(Array.from({ length: 64 }, () => random32()))
    assert.ok(drawn.size > 60 && [...drawn].every((bits) => bits === bits >>> 0))
  })

  it('does not keep the process alive for a timer', () => {
    const url = new URL('../../src/env/node-env.js', import.meta.url).href
    const program = `import { nodeEnvironment } from '${url}'
      nodeEnvironment().later(1e12, () => {})
      nodeEnvironment().soon(() => console.log('soon'))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
    assert.equal(output.toString(), 'soon\n')
  })
})

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof IOError && systemErrorCode(error) === expected
}

/** The environment's parts, methods bound to it. */
function bound() {
  const environment = nodeEnvironment()
  return {
    files: environment.files,
    clock: environment.clock,
    random32: () => environment.random32(),
    later: (ms: number, task: () => void, keep?: boolean) => environment.later(ms, task, keep),
  }
}
