/**
 * MountedDisk: a place in the tree of files where disks of this process are mounted, one after another.
 *
 *   Disk → NbdServer → Unix socket → nbdfuse → a file → loop device → file system
 *
 * The kernel's writes to the loop device come to the disk one by one, and its flushes come as flushes: the loop device makes an
 * fsync of each, which nbdfuse passes on (seen in the log: an fdatasync on ext4 is writes, a flush, the commit and a flush).
 *
 * This process must not touch what is mounted: the kernel would wait for it, and it for the kernel.
 */
import { spawn } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Prng } from '../../src/base/prng.ts'
import { Disk, type Pages, pagesOf } from './disk.ts'
import { DISK_BYTES, type FileSystem } from './file-systems.ts'
import { NbdServer } from './nbd-server.ts'

const LOOK_MS = 5
/** nbdfuse, or an unmounting, that has not come so far by then never will. */
const LOOKS_MAX = 4000

export class MountedDisk {
  /** Where the file system is. */
  readonly path: string
  readonly #device: string
  readonly #server: NbdServer

  private constructor(path: string, device: string, server: NbdServer) {
    this.path = path
    this.#device = device
    this.#server = server
  }

  /** @param directory with what namespace.ts makes in it */
  static async begin(directory: string): Promise<MountedDisk> {
    const [path, shown, socket] = ['mounted', 'shown', 'socket'].map((name) => join(directory, name))
    const server = await NbdServer.listen(socket, new Disk(DISK_BYTES, new Map(), new Prng(0)))
    const device = join(shown, 'disk')
    const client = spawn('unshare', ['--mount', '--propagation', 'unchanged', 'nbdfuse', device, '--unix', socket], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    client.stderr.on('data', (text) => {
      said += text
    })
    for (let looks = 0; readdirSync(shown).length === 0; looks++) {
      if (client.exitCode !== null || looks > LOOKS_MAX) throw new Error(`nbdfuse does not begin: ${said}`)
      await sleep(LOOK_MS)
    }
    return new MountedDisk(path, device, server)
  }

  /** Where the log of the disk is that is mounted. */
  get position(): number {
    return this.#server.disk.position
  }

  /** @returns undefined, or why the file system does not mount */
  async mount(disk: Disk, { name }: FileSystem, options: string): Promise<string | undefined> {
    this.#server.disk = disk
    // btrfs remembers what it has seen on other devices, and takes an older state on this one for the wrong half of a pair.
    if (name === 'btrfs') await execute('btrfs', ['device', 'scan', '--forget'])
    const all = ['loop', ...(options === '' ? [] : [options])].join(',')
    const { status, said } = await execute('mount', ['-t', name, '-o', all, this.#device, this.path])
    return status === 0 ? undefined : said
  }

  /** Nobody may have anything open there. */
  async unmount(): Promise<void> {
    for (let looks = 0; ; looks++) {
      const { status, said } = await execute('umount', [this.path])
      if (status === 0) return
      if (looks > LOOKS_MAX) throw new Error(`what is mounted stays so: ${said}`)
      await sleep(LOOK_MS)
    }
  }
}

/** A file system with nothing in it. */
export async function emptyPages(directory: string, { make: [program, ...args] }: FileSystem): Promise<Pages> {
  const path = join(directory, 'empty')
  const { status, said } = await execute('sh', [
    '-c',
    `truncate -s ${DISK_BYTES} "$0" && exec "$@"`,
    path,
    program,
    ...args,
    path,
  ])
  if (status !== 0) throw new Error(`${program} fails: ${said}`)
  try {
    return pagesOf(path)
  } finally {
    rmSync(path)
  }
}

export function execute(program: string, args: readonly string[]): Promise<{ status: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, said }))
  })
}
