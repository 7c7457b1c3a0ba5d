/**
 * NbdServer: shows a disk to a client of the network block device's protocol, on a Unix socket: fixed newstyle negotiation, reads,
 * writes and flushes, one after another in the order in which they come. Every answer is sent after the disk has done what it says.
 *
 * Which disk it is may change while no file system is mounted.
 *
 * Sources  the protocol: github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Disk } from './disk.ts'

const GREETING = 'NBDMAGICIHAVEOPT'
const OPTION_REPLY = 0x3e889045565a9n
const REPLY = 0x67446698
const OPTION_HEADER_BYTES = 16
const REQUEST_HEADER_BYTES = 28
const FIXED_NEWSTYLE = 1
const NO_ZEROES = 2
/** Of options: to end, and to begin with what the reply says. */
const ABORT = 2
const GO = 7
const ACKNOWLEDGED = 1
const INFORMATION = 3
const UNSUPPORTED = 0x8000_0001
/** There are flags; flushes can be sent. No FUA: a client that needs it sends a write and a flush. */
const TRANSMISSION_FLAGS = 1 | 4
const READ = 0
const WRITE = 1
const DISCONNECT = 2
const FLUSH = 3
const EIO = 5
const EINVAL = 22

export class NbdServer {
  disk: Disk
  readonly #server: Server

  private constructor(disk: Disk) {
    this.disk = disk
    this.#server = createServer((socket) => new Connection(this, socket))
  }

  static async listen(path: string, disk: Disk): Promise<NbdServer> {
    const server = new NbdServer(disk)
    await new Promise<void>((resolve, reject) => server.#server.on('error', reject).listen(path, resolve))
    return server
  }

  close(): void {
    this.#server.close()
  }
}

class Connection {
  readonly #server: NbdServer
  readonly #socket: Socket
  /** What has come and not been taken. */
  #bytes: Buffer = Buffer.alloc(0)
  #state: 'flags' | 'options' | 'requests' = 'flags'

  constructor(server: NbdServer, socket: Socket) {
    this.#server = server
    this.#socket = socket
    const greeting = Buffer.alloc(GREETING.length + 2)
    greeting.write(GREETING, 'latin1')
    greeting.writeUInt16BE(FIXED_NEWSTYLE | NO_ZEROES, GREETING.length)
    socket.write(greeting)
    socket.on('data', (chunk) => this.#take(chunk))
    // A client that has been killed; whoever waits for it hears of that from its process.
    socket.on('error', () => {})
  }

  #take(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    while (this.#step()) {}
  }

  /** @returns false if more has to come first */
  #step(): boolean {
    if (this.#state === 'requests') return this.#request()
    if (this.#state === 'options') return this.#option()
    if (this.#next(4) === undefined) return false
    this.#state = 'options'
    return true
  }

  #next(bytes: number): Buffer | undefined {
    if (this.#bytes.length < bytes) return undefined
    const taken = this.#bytes.subarray(0, bytes)
    this.#bytes = this.#bytes.subarray(bytes)
    return taken
  }

  #option(): boolean {
    if (this.#bytes.length < OPTION_HEADER_BYTES) return false
    const option = this.#next(OPTION_HEADER_BYTES + this.#bytes.readUInt32BE(12))?.readUInt32BE(8)
    if (option === undefined) return false
    if (option === GO) {
      const information = Buffer.alloc(12)
      information.writeBigUInt64BE(BigInt(this.#server.disk.byteLength), 2)
      information.writeUInt16BE(TRANSMISSION_FLAGS, 10)
      this.#answerOption(option, INFORMATION, information)
      this.#state = 'requests'
    }
    this.#answerOption(option, option === GO || option === ABORT ? ACKNOWLEDGED : UNSUPPORTED)
    if (option === ABORT) this.#socket.end()
    return true
  }

  #answerOption(option: number, type: number, data: Buffer = Buffer.alloc(0)): void {
    const header = Buffer.alloc(20)
    header.writeBigUInt64BE(OPTION_REPLY)
    header.writeUInt32BE(option, 8)
    header.writeUInt32BE(type, 12)
    header.writeUInt32BE(data.length, 16)
    this.#socket.write(Buffer.concat([header, data]))
  }

  #request(): boolean {
    if (this.#bytes.length < REQUEST_HEADER_BYTES) return false
    const type = this.#bytes.readUInt16BE(6)
    const length = this.#bytes.readUInt32BE(24)
    const request = this.#next(REQUEST_HEADER_BYTES + (type === WRITE ? length : 0))
    if (request === undefined) return false
    const cookie = request.subarray(8, 16)
    const offset = Number(request.readBigUInt64BE(16))
    const { disk } = this.#server
    if (type === READ) {
      const bytes = new Uint8Array(length)
      disk.read(offset, bytes)
      this.#answer(cookie, 0, bytes)
    } else if (type === WRITE) {
      const bytes = new Uint8Array(request.subarray(REQUEST_HEADER_BYTES))
      this.#answer(cookie, disk.write(offset, bytes) ? 0 : EIO)
    } else if (type === FLUSH) this.#answer(cookie, disk.flush() ? 0 : EIO)
    else if (type === DISCONNECT) this.#socket.end()
    else this.#answer(cookie, EINVAL)
    return true
  }

  #answer(cookie: Uint8Array, error: number, data: Uint8Array = new Uint8Array(0)): void {
    const header = Buffer.alloc(16)
    header.writeUInt32BE(REPLY)
    header.writeUInt32BE(error, 4)
    header.set(cookie, 8)
    this.#socket.write(Buffer.concat([header, data]))
  }
}
