/**
 * The FileSystem contract (base/environment.ts), the same tests for each implementation: Node's in a temporary directory,
 * memory, and the fault environment around memory with no faults.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { FileSystem } from '../../src/base/environment.ts'
import { IOError, LockedError, systemErrorCode } from '../../src/base/errors.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'

interface Place {
  readonly files: FileSystem
  /** An existing, empty directory. */
  readonly directory: string
  clear(): void
}

const IMPLEMENTATIONS: Readonly<Record<string, () => Place>> = {
  node: () => {
    const directory = mkdtempSync(join(tmpdir(), 'varve-files-'))
    return { files: nodeEnvironment().files, directory, clear: () => rmSync(directory, { recursive: true }) }
  },
  memory: () => {
    const { files } = new MemoryEnvironment()
    files.makeDirectory('/data')
    return { files, directory: '/data', clear: () => assert.equal(files.openCount, 0) }
  },
  fault: () => {
    const { files } = new FaultEnvironment(new MemoryEnvironment(), { directory: '/data', countReads: true })
    files.makeDirectory('/data')
    return { files, directory: '/data', clear: () => {} }
  },
}

const isWindows = process.platform === 'win32'
/** Only Linux knows who it is. */
const HOLDER = process.platform === 'linux' ? /this process/ : /this process|another opener/
const HELLO = new TextEncoder().encode('hello, world')

for (const [name, make] of Object.entries(IMPLEMENTATIONS)) {
  describe(`${name} files`, () => {
    let place: Place
    let files: FileSystem
    let at: (name: string) => string

    beforeEach(() => {
      place = make()
      files = place.files
      at = (file) => files.join(place.directory, file)
    })
    afterEach(() => place.clear())

    function write(file: string, bytes: Uint8Array): void {
      const writable = files.createWritable(at(file))
      writable.append(bytes, 0, bytes.length)
      writable.close()
    }

    function read(file: string): string {
      const opened = files.openRandomAccess(at(file))
      const bytes = new Uint8Array(opened.bytes)
      opened.read(0, bytes, 0, bytes.length)
      opened.close()
      return new TextDecoder().decode(bytes)
    }

    it('read back what was appended, in order', () => {
      const file = files.createWritable(at('a'))
      file.append(HELLO, 7, 5)
      file.append(HELLO, 5, 0)
      file.append(HELLO, 0, 5)
      file.sync()
      file.close()
      assert.equal(read('a'), 'worldhello')
    })

    it('read any range into any place of a buffer, and leave the rest of it alone', () => {
      write('a', HELLO)
      const file = files.openRandomAccess(at('a'))
      const into = new Uint8Array(new SharedArrayBuffer(10)).fill(0x2e)
      file.read(7, into, 3, 5)
      file.close()
      assert.equal(String.fromCharCode(...into), '...world..')
      assert.equal(file.bytes, HELLO.length)
      assert.equal(file.path, at('a'))
    })

    it('report the end of a file as an error that names the byte', () => {
      write('a', HELLO)
      const file = files.openRandomAccess(at('a'))
      assert.throws(
        () => file.read(8, new Uint8Array(5), 0, 5),
        (error) => error instanceof IOError && error.file === at('a') && /ends before byte 13/.test(error.message),
      )
      file.close()
    })

    it('cover with syncLater what came before it', async () => {
      const file = files.createWritable(at('a'))
      file.append(HELLO, 0, HELLO.length)
      await file.syncLater()
      file.close()
      assert.equal(read('a'), 'hello, world')
    })

    it('finish a syncLater that runs while the file is closed', async () => {
      const file = files.createWritable(at('a'))
      file.append(HELLO, 0, HELLO.length)
      const synced = file.syncLater()
      file.close()
      assert.throws(() => file.append(HELLO, 0, 1), IOError)
      await synced
    })

    it('make a file longer than what is in it, and as long again, and append where they were', () => {
      const file = files.createWritable(at('a'))
      file.append(HELLO, 0, 5)
      file.reserve?.(100)
      assert.equal(files.status(at('a'))?.bytes, 100)
      assert.equal(read('a'), `hello${'\0'.repeat(95)}`)
      file.append(HELLO, 5, 7)
      assert.equal(read('a'), `hello, world${'\0'.repeat(88)}`)
      file.sync()
      file.reserve?.(8)
      assert.equal(read('a'), 'hello, world')
      file.reserve?.(40)
      file.append(new Uint8Array(50).fill(33), 0, 50)
      file.close()
      file.reserve?.(100)
      assert.equal(read('a'), `hello, world${'!'.repeat(50)}`)
    })

    it('refuse use after close, and take a second close for nothing', async () => {
      const writable = files.createWritable(at('a'))
      writable.close()
      writable.close()
      assert.throws(() => writable.append(HELLO, 0, 1), /is closed/)
      assert.throws(() => writable.sync(), IOError)
      await assert.rejects(writable.syncLater(), IOError)
      const readable = files.openRandomAccess(at('a'))
      readable.close()
      readable.close()
      assert.throws(() => readable.read(0, new Uint8Array(1), 0, 1), IOError)
    })

    it('list names sorted, and only those of the directory', () => {
      for (const file of ['b', 'a', 'CURRENT', '10', '9']) write(file, HELLO)
      files.makeDirectory(at('sub'))
      files.createWritable(files.join(at('sub'), 'inner')).close()
      assert.deepEqual(files.list(place.directory), ['10', '9', 'CURRENT', 'a', 'b', 'sub'])
    })

    it('tell files, directories and nothing apart', () => {
      write('a', HELLO)
      files.makeDirectory(at('sub'))
      assert.deepEqual(files.status(at('a')), { kind: 'file', bytes: 12 })
      assert.equal(files.status(at('sub'))?.kind, 'directory')
      assert.equal(files.status(at('b')), undefined)
      assert.equal(files.status(files.join(at('b'), 'c')), undefined)
    })

    it('make missing parents, and take an existing directory as made', () => {
      const deep = files.join(files.join(at('x'), 'y'), 'z')
      files.makeDirectory(deep)
      files.makeDirectory(deep)
      assert.equal(files.status(deep)?.kind, 'directory')
    })

    it('give a file a further name, which outlives the first, and replaces nothing', () => {
      write('a', HELLO)
      files.link(at('a'), at('b'))
      files.remove(at('a'))
      assert.equal(read('b'), 'hello, world')
      write('c', HELLO)
      assert.throws(
        () => files.link(at('b'), at('c')),
        (error) => systemErrorCode(error) === 'EEXIST',
      )
      files.rename(at('b'), at('d'))
      assert.deepEqual(files.list(place.directory), ['c', 'd'])
    })

    it('replace by rename what had the name', () => {
      write('new', HELLO)
      write('CURRENT', HELLO.subarray(0, 2))
      files.rename(at('new'), at('CURRENT'))
      assert.deepEqual(files.list(place.directory), ['CURRENT'])
      assert.equal(read('CURRENT'), 'hello, world')
    })

    it('go on reading a file that was removed', () => {
      write('a', HELLO)
      const file = files.openRandomAccess(at('a'))
      files.remove(at('a'))
      // Windows keeps the name for as long as the file is open.
      if (!isWindows) assert.deepEqual(files.list(place.directory), [])
      const into = new Uint8Array(5)
      file.read(0, into, 0, 5)
      file.close()
      assert.deepEqual(files.list(place.directory), [])
      assert.deepEqual(into, HELLO.slice(0, 5))
    })

    it('refuse a second lock until the first is released, and keep LOCK', async () => {
      const first = await files.lock(place.directory)
      await assert.rejects(
        files.lock(place.directory),
        (error) => error instanceof LockedError && error.code === 'LOCKED' && HOLDER.test(error.message),
      )
      first.release()
      const second = await files.lock(place.directory)
      first.release()
      await assert.rejects(files.lock(place.directory), LockedError)
      second.release()
      assert.deepEqual(files.list(place.directory), ['LOCK'])
    })

    const failures: [string, string, (at: (name: string) => string) => void][] = [
      ['opening what is missing', 'ENOENT', (at) => files.openRandomAccess(at('none'))],
      ['creating what exists', 'EEXIST', (at) => files.createWritable(at('a'))],
      ['creating in a missing directory', 'ENOENT', (at) => files.createWritable(files.join(at('none'), 'b'))],
      ['listing what is missing', 'ENOENT', (at) => files.list(at('none'))],
      ['listing a file', 'ENOTDIR', (at) => files.list(at('a'))],
      ['linking what is missing', 'ENOENT', (at) => files.link(at('none'), at('b'))],
      ['renaming what is missing', 'ENOENT', (at) => files.rename(at('none'), at('b'))],
      ['removing what is missing', 'ENOENT', (at) => files.remove(at('none'))],
      ['making a directory where a file is', 'EEXIST', (at) => files.makeDirectory(at('a'))],
      ['syncing a missing directory', 'ENOENT', (at) => files.syncDirectory(at('none'))],
      ['syncing a file as a directory', 'ENOTDIR', (at) => files.syncDirectory(at('a'))],
    ]
    for (const [what, code, attempt] of failures) {
      const skip = isWindows && name === 'node' && what.startsWith('syncing') && 'Windows syncs no directories'
      it(`fail with ${code} on ${what}, in words, with the path and the cause`, { skip }, () => {
        write('a', HELLO)
        assert.throws(
          () => attempt(at),
          (error) => {
            assert.ok(error instanceof IOError)
            assert.equal(systemErrorCode(error), code)
            assert.ok(error.file?.startsWith(place.directory))
            assert.match(error.message, new RegExp(`^cannot \\w.* \\S+: .*\\(${code}\\)$`))
            return true
          },
        )
      })
    }

    it('refuse to open a directory', () => {
      assert.throws(() => files.openRandomAccess(place.directory), /not a regular file/)
    })
  })
}
