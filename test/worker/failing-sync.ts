/**
 * The worker's program, on a disk whose directories cannot be synced: each sync begins, as the file `begun` beside the directory says, and
 * fails once there is the file `synced`: when the database's own thread, which had begun later, has succeeded.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ioError, systemError } from '../../src/env/io-error.ts'
import { NodeFiles } from '../../src/env/node-files.ts'

const words = new Int32Array(new SharedArrayBuffer(4))

NodeFiles.prototype.syncDirectory = (directory) => {
  const beside = (name: string): string => join(dirname(directory), name)
  writeFileSync(beside('begun'), '')
  while (!existsSync(beside('synced'))) Atomics.wait(words, 0, 0, 5)
  // Time for the other thread to believe what it should not.
  Atomics.wait(words, 0, 0, 200)
  throw ioError('sync', directory, systemError('EIO'))
}

await import('../../src/worker/worker-main.ts')
