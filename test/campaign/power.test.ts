/**
 * The disk whose power can be cut: what a cut leaves of it, and the protocol by which the kernel gets at it. Real file systems on it are
 * for T19.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Disk, PAGE_BYTES, REMAINS, type Remains } from '../../campaign/power/disk.ts'
import { availableSystems } from '../../campaign/power/namespace.ts'
import { NbdServer } from '../../campaign/power/nbd-server.ts'
import { Prng } from '../../src/base/prng.ts'

const SECTOR = 512

function newDisk(): Disk {
  const base = new Map([[0, new Uint8Array(PAGE_BYTES).fill(1)]])
  return new Disk(8 * PAGE_BYTES, base, new Prng(1))
}

/** The first byte of each page. */
function pages(disk: Disk): number[] {
  return Array.from({ length: 8 }, (_, i) => read(disk, i * PAGE_BYTES, 1)[0])
}

function read(disk: Disk, offset: number, length: number): Uint8Array {
  const into = new Uint8Array(length)
  disk.read(offset, into)
  return into
}

function write(disk: Disk, page: number, byte: number): boolean {
  return disk.write(page * PAGE_BYTES, new Uint8Array(PAGE_BYTES).fill(byte))
}

/** Two writes, a flush, three more. */
function written(): Disk {
  const disk = newDisk()
  for (const page of [0, 1]) write(disk, page, 5)
  disk.flush()
  for (const page of [1, 2, 3]) write(disk, page, 7)
  return disk
}

test('a cut leaves what was flushed before it, and any part of what was written since', () => {
  const left = new Map<Remains, Set<string>>(REMAINS.map((remains) => [remains, new Set()]))
  const disk = written()
  for (let seed = 0; seed < 100; seed++) {
    for (const remains of REMAINS) {
      left.get(remains)!.add(pages(disk.cutAt(6, remains, SECTOR, new Prng(seed))).join(''))
    }
  }
  const sorted = (remains: Remains): string[] => [...left.get(remains)!].sort()
  assert.deepEqual(sorted('all'), ['57770000'])
  assert.deepEqual(sorted('none'), ['55000000'])
  assert.deepEqual(sorted('prefix'), ['55000000', '57000000', '57700000', '57770000'])
  assert.deepEqual(sorted('only one'), ['55000000', '55070000', '55700000', '57000000'].slice(1))
  assert.deepEqual(sorted('all but one'), ['55770000', '57070000', '57700000'])
  assert.equal(left.get('some')!.size, 8)
})

test('a cut before the flush takes away what the flush made durable, and no later write is there', () => {
  const disk = written()
  assert.deepEqual(pages(disk.cutAt(2, 'none', SECTOR, new Prng(1))), [1, 0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(pages(disk.cutAt(2, 'all', SECTOR, new Prng(1))), [5, 5, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(pages(disk.cutAt(0, 'all', SECTOR, new Prng(1))), [1, 0, 0, 0, 0, 0, 0, 0])
})

test('a write is torn at sectors', () => {
  const disk = newDisk()
  write(disk, 0, 9)
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    const bytes = read(disk.cutAt(1, 'torn', SECTOR, new Prng(seed)), 0, PAGE_BYTES)
    const sectors = Array.from({ length: PAGE_BYTES / SECTOR }, (_, i) => bytes.subarray(i * SECTOR, (i + 1) * SECTOR))
    for (const sector of sectors) assert.equal(new Set(sector).size, 1)
    seen.add(sectors.map((sector) => sector[0]).join(''))
  }
  assert.ok(seen.has('11111111') && seen.has('99999999') && seen.size > 20)
})

test('what is left is a disk of its own: writes to it change neither its past nor the disk that was cut', () => {
  const disk = written()
  const image = disk.cutAt(6, 'none', SECTOR, new Prng(1))
  write(image, 0, 8)
  assert.deepEqual(pages(image.fresh()), [5, 5, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(pages(image.cutAt(0, 'all', SECTOR, new Prng(1))), [5, 5, 0, 0, 0, 0, 0, 0])
  assert.equal(pages(image)[0], 8)
  assert.equal(pages(disk)[0], 5)
})

test('a disk refuses what it is told to refuse, so often, and a flush that fails makes nothing durable', () => {
  const disk = newDisk()
  disk.fault = { writes: false, flushes: true, from: 1, reachBytes: 0, left: 1 }
  write(disk, 1, 5)
  assert.equal(disk.flush(), false)
  assert.deepEqual(pages(disk.cutAt(disk.position, 'none', SECTOR, new Prng(1)))[1], 0)
  assert.equal(disk.flush(), true)
  assert.deepEqual(pages(disk.cutAt(disk.position, 'none', SECTOR, new Prng(1)))[1], 5)
  disk.fault = { writes: true, flushes: false, from: 0, reachBytes: PAGE_BYTES, left: 2 }
  const outcomes = [write(disk, 2, 5), disk.flush(), write(disk, 4, 5), write(disk, 3, 5), write(disk, 2, 5)]
  assert.deepEqual(outcomes, [false, true, true, false, true])
  assert.equal(disk.failures, 3)
})

test('a client of the protocol reads what it wrote, and hears of failures', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-nbd-'))
  const disk = newDisk()
  const server = await NbdServer.listen(join(directory, 'socket'), disk)
  const socket = connect(join(directory, 'socket'))
  try {
    const client = new Client(socket)
    assert.equal((await client.take(18)).subarray(0, 16).toString(), 'NBDMAGICIHAVEOPT')
    // An option that the server does not know, and one that begins, in pieces.
    const hello = Buffer.concat([u32(3), option(8), option(7)])
    for (let at = 0; at < hello.length; at += 5) socket.write(hello.subarray(at, at + 5))
    assert.equal((await client.take(20)).readUInt32BE(12), 0x8000_0001)
    assert.equal((await client.take(32)).readBigUInt64BE(22), BigInt(disk.byteLength))
    assert.equal((await client.take(20)).readUInt32BE(12), 1)
    const bytes = Buffer.alloc(5000, 3)
    socket.write(Buffer.concat([request(1, 100, 5000), bytes, request(3, 0, 0), request(0, 99, 5000)]))
    assert.deepEqual([await client.error(), await client.error(), await client.error()], [0, 0, 0])
    assert.deepEqual([...(await client.take(5000))], [1, ...bytes.subarray(0, 4999)])
    assert.equal(disk.position, 2)
    disk.fault = { writes: true, flushes: true, from: 0, reachBytes: 0, left: 2 }
    socket.write(Buffer.concat([request(1, 0, 5000), bytes, request(3, 0, 0), request(9, 0, 0)]))
    assert.deepEqual([await client.error(), await client.error(), await client.error()], [5, 5, 22])
    socket.write(request(2, 0, 0))
    await once(socket, 'end')
  } finally {
    socket.destroy()
    server.close()
    rmSync(directory, { recursive: true })
  }
})

class Client {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  async take(length: number): Promise<Buffer> {
    for (;;) {
      const bytes = this.#socket.read(length) as Buffer | null
      if (bytes !== null) return bytes
      await once(this.#socket, 'readable')
    }
  }

  async error(): Promise<number> {
    return (await this.take(16)).readUInt32BE(4)
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function option(number: number): Buffer {
  return Buffer.concat([Buffer.from('IHAVEOPT'), u32(number), u32(6), Buffer.alloc(6)])
}

function request(type: number, offset: number, length: number): Buffer {
  return Buffer.concat([u32(0x25609513), u32(type), Buffer.alloc(12), u32(offset), u32(length)])
}

test('a program that is on a loop device itself can be run in name spaces of its own', (t) => {
  const systems = availableSystems()
  if (!systems.includes('ext4')) return t.skip(`${systems}`)
  const directory = mkdtempSync(join(tmpdir(), 'varve-loop-'))
  const program = `
    import { runInNamespace } from '${new URL('../../campaign/power/namespace.js', import.meta.url)}'
    await runInNamespace({
      program: '${directory}/program.mjs', seconds: 60, seed: 1, systems: [], isKept: false,
      isOver: () => false,
      hear: ({ what }) => console.log(what),
    })
  `
  const script = `
    truncate -s 16M "$0/disk" && mkfs.ext4 -q -F "$0/disk" && mount -o loop "$0/disk" "$0" || exit 7
    echo 'console.log(JSON.stringify({ what: "it runs", by: 1 }))' >"$0/program.mjs" && exec "$@"`
  const node = [process.execPath, '--input-type=module', '-e', program]
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script, directory, ...node], {
    encoding: 'utf8',
  })
  rmSync(directory, { recursive: true })
  if (status === 7) return t.skip(stderr)
  assert.equal(stdout, 'it runs\n', stderr)
})
