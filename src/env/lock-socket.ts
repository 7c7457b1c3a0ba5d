/**
 * lock-socket: an abstract Unix socket that nobody connects to. Its name can be had once in a network namespace, and is free again when
 * the process that has it ends, however it ends.
 *
 * The name is as long as one can be: Node 20 fills a shorter one up with zeros, which to the kernel is another name than the one that
 * Node 22 takes. Bun takes none so long.
 *
 * In a container there is also one with a name in the directory, which who has the same volume elsewhere finds
 * (docs/rfcs/0034-containers-that-share-a-volume.md).
 */
import * as fs from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import * as path from 'node:path'
import { closeQuietly } from '../base/close-all.ts'
import { isOutOfDescriptors } from '../base/errors.ts'
import { hostLater, hostSoon } from './host-time.ts'
import { codeOf, ioError } from './io-error.ts'
import { namespaceOf } from './lock-holder.ts'

/** How often, and after how long, a socket is asked for again that is taken, though LOCK names no holder. */
const NAMELESS_TRIES = 10
const NAMELESS_MS = 20
/** Of a socket's name, with the zero that makes it abstract: all of sockaddr_un's sun_path. */
const SOCKET_NAME_LENGTH = 108
/** In the directory. */
const SOCKET_FILE = '.LOCK.socket'
/** Errors by which somebody is known to listen: more wait there than may; the connection is ended already, as Bun says it. */
const ANSWERS = ['EAGAIN', 'ECONNRESET', 'EPIPE']
/** What Linux calls the process numbers that are not a container's. */
const OUTERMOST = 'pid:[4026531836]'
export const isBun: boolean = process.versions.bun !== undefined

/**
 * As listen, but a name that is taken by nobody is tried again for a moment: a process that another thread forks just when the
 * lock is released has the socket, too, until it becomes the program that it shall be.
 */
export async function listenPatiently(
  file: string,
  name: string,
  isNamed: () => boolean,
): Promise<Server | 'taken' | 'impossible'> {
  for (let left = NAMELESS_TRIES; ; left--) {
    const socket = await listen(file, socketName(name))
    if (socket !== 'taken' || left === 0 || isNamed()) return socket
    await new Promise<void>((resolve) => hostLater(NAMELESS_MS, resolve, true))
  }
}

/**
 * A socket of that name, or why there is none: another has it, or this process may have no sockets.
 * @throws IOError for want of descriptors: a moment later there may be one
 */
function listen(file: string, name: string): Promise<Server | 'taken' | 'impossible'> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy())
    server.once('error', (error) => {
      if (isOutOfDescriptors(error)) reject(ioError('lock', file, error))
      else resolve(codeOf(error) === 'EADDRINUSE' ? 'taken' : 'impossible')
    })
    try {
      // Exclusive: the workers of a cluster would otherwise share it.
      server.listen({ path: name, exclusive: true }, () => resolve(server))
      server.unref()
      // Where ticks stand still, no event comes. Why there is no socket is not known then: most likely another has it.
      if (server.listening) resolve(server)
      else ifTicksStandStill(() => resolve('taken'))
    } catch {
      // Newer Node under --permission, without --allow-net.
      resolve('impossible')
    }
  })
}

/** Of a name in a directory: not the lock's own, which comes and goes beside the files of whoever asks. */
export function isForOthers(name: string): boolean {
  return name !== SOCKET_FILE
}

/** What is held until it is closed. */
export interface Held {
  close(): unknown
}

/**
 * As listen, in the directory itself; outside of containers it is only asked who else does. What a killed holder has left is removed.
 * @param fileMode who may write LOCK may ask, too
 * @returns undefined if there is none, for whatever reason: it is one guard more
 * @throws IOError for want of descriptors
 */
export async function listenInside(directory: string, fileMode: number): Promise<Held | 'taken' | undefined> {
  let fd = -1
  let socket: Server | 'taken' | undefined
  try {
    fd = fs.openSync(directory, fs.constants.O_RDONLY)
    socket = await listenIn(fd, path.resolve(directory, SOCKET_FILE), fileMode)
  } catch (error) {
    if (isOutOfDescriptors(error)) throw ioError('lock', directory, error)
  } finally {
    if (typeof socket !== 'object' && fd >= 0) fs.closeSync(fd)
  }
  if (typeof socket !== 'object') return socket
  const server = socket
  return {
    close(): void {
      server.close()
      fs.closeSync(fd)
    },
  }
}

/** @param fd the directory, until the socket is closed */
async function listenIn(fd: number, file: string, fileMode: number): Promise<Server | 'taken' | undefined> {
  // Short, however long the path is. And closing removes what is in this directory, wherever that is by then.
  const address = `/proc/self/fd/${fd}/${SOCKET_FILE}`
  const found = (): fs.Stats | undefined => fs.lstatSync(file, { throwIfNoEntry: false })
  // Without /proc, at least this; Node 20 cuts off what is longer.
  const known = Buffer.byteLength(file) < SOCKET_NAME_LENGTH ? file : address
  for (let before = found(); before !== undefined; before = found()) {
    const answer = before.isSocket() ? await knock(known) : undefined
    if (answer === 'taken') return answer
    // Another opener may have removed it since, and listen at its own.
    if (found()?.ctimeMs !== before.ctimeMs) continue
    // It is no socket, or of somebody whom this process may not ask.
    if (answer !== 'ECONNREFUSED') return undefined
    fs.rmSync(file, { force: true })
  }
  const numbers = namespaceOf('pid')
  if (numbers === '' || numbers === OUTERMOST) return undefined
  const socket = await listen(file, address)
  if (typeof socket === 'object') {
    closeQuietly(() => fs.chmodSync(file, fileMode))
    return socket
  }
  if (found()?.isSocket()) return socket === 'taken' ? socket : undefined
  // Where a file system has no sockets, there may be something now that is none.
  closeQuietly(() => fs.unlinkSync(file))
  return undefined
}

/** @returns what came of it: somebody listens, or a code. Rejects for want of descriptors */
function knock(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(address, () => resolve('taken'))
    connection.on('connect', () => connection.destroy())
    connection.on('error', (error) => {
      if (isOutOfDescriptors(error)) reject(error)
      const code = String(codeOf(error))
      resolve(ANSWERS.includes(code) ? 'taken' : code)
    })
    ifTicksStandStill(() => hostLater(NAMELESS_MS, () => resolve('unknown'), true))
  })
}

/** A test may have put another process.nextTick in the place of Node's, which waits for the test (Sinon's fake timers do by default). */
function ifTicksStandStill(task: () => void): void {
  let isTicking = false
  process.nextTick(() => {
    isTicking = true
  })
  hostSoon(() => {
    if (!isTicking) task()
  })
}

function socketName(name: string): string {
  return isBun ? `\0${name}` : `\0${name}`.padEnd(SOCKET_NAME_LENGTH, '-')
}
