/**
 * Environment: the one door to files, clock, randomness, timers and threads. The engine uses nothing else, so that it
 * runs the same on Node, in memory, under injected faults and in a simulation.
 *
 * Files are written front to back and then never again, or read at any offset; no file is both. All calls are
 * synchronous but those named `…Later`. A call that fails throws IOError with the operating system's error as cause.
 * A short write is not an error that a caller sees: `append` writes all or throws, and after a throw an unknown part of
 * the bytes is in the file.
 */
import type { Bytes } from './types.ts'

/** A file opened for reading at any offset. Its size is that at the time of opening. */
export interface RandomAccessFile {
  readonly path: string
  readonly bytes: number
  /**
   * Fill into[intoOffset, intoOffset + length) from the file at `offset`.
   * @throws IOError; also if the file ends before `length` bytes
   */
  read(offset: number, into: Bytes, intoOffset: number, length: number): void
  /** Once; the file is not read any more. */
  close(): void
}

/** A file being written, front to back. */
export interface WritableFile {
  readonly path: string
  /** Write all of bytes[offset, offset + length) at the end; short writes are continued. */
  append(bytes: Bytes, offset: number, length: number): void
  /** fdatasync: what was appended survives power loss (its directory entry needs syncDirectory). */
  sync(): void
  /** As sync, off this thread. Appends meanwhile may or may not be covered. A `sync` meanwhile does not miss a failure that this one meets. */
  syncLater(): Promise<void>
  /**
   * Begin to write to the disk what was appended, beside what this thread goes on with, so that a later `sync` waits for less.
   * Promises nothing, throws nothing: whether it was done, and whether it failed, is for that `sync` to say. Absent where the
   * host cannot do it without hiding an error from `sync`.
   */
  syncAhead?(): void
  /**
   * Have the file be `limit` bytes long, with zeros behind what was appended, or end with what was appended if that is longer.
   * Appends go on where they were; a sync of them need not write a new length, nor take blocks of the disk if the zeros were written,
   * which is up to half of what it takes.
   * Promises nothing, throws nothing: without it, the file only grows as it is appended to. Absent where that is as good.
   */
  reserve?(limit: number): void
  /** Close errors count: they may be the only report of a failed write. */
  close(): void
}

/** What a name leads to; `other` is also a symbolic link, which is never followed. */
export type FileKind = 'file' | 'directory' | 'other'

/** What there is under a name. */
export interface FileStatus {
  readonly kind: FileKind
  readonly bytes: number
}

/** A held lock on a database directory. */
export interface DirectoryLock {
  /** Who may have the directory open as well, as far as this process cannot tell; e.g. outside of its container. */
  readonly unseen?: string | undefined
  /** Let another opener in. Idempotent. */
  release(): void
  /**
   * @throws IOError if the directory is not where it was locked any more: it has been removed or renamed, and what has its path now
   *   is somebody else's (docs/rfcs/0027-a-directory-that-is-moved.md). Absent where that cannot happen, or be told
   */
  check?(): void
}

/** Paths are the host's own; the engine joins a directory and a name only through `join`. */
export interface FileSystem {
  /** The path of a name in a directory. */
  join(directory: string, name: string): string
  /** The path that leads to the same place wherever the process goes on to work. Absent where all paths do. */
  absolute?(path: string): string
  /** Open for reading. Refuses what is not a regular file, and does not follow a symbolic link. */
  openRandomAccess(path: string): RandomAccessFile
  /** Create for writing. Fails if anything of that name exists. */
  createWritable(path: string): WritableFile
  /** Names in a directory, sorted; throws IOError (cause ENOENT) if there is no such directory. */
  list(directory: string): string[]
  /** undefined if nothing has that name. Does not follow a symbolic link (which is 'other'). */
  status(path: string): FileStatus | undefined
  /** Make a directory and its missing parents, durable in the parent; no error if it exists. */
  makeDirectory(path: string): void
  /** Atomically give `from` the name `to`, replacing what had it. */
  rename(from: string, to: string): void
  /**
   * Give the file `from` the further name `to`, at the cost of a directory entry. Throws IOError if anything has that name,
   * or if the file system has no such links, or not between these two places; who needs the file there then copies it.
   * A file that has two names is not written any more.
   */
  link(from: string, to: string): void
  /** Remove a file; one that is open can be read until it is closed, where the host allows that. */
  remove(path: string): void
  /** Make what has been written to a file durable, by whatever descriptor it was: fdatasync. */
  syncFile(path: string): void
  /** Make creations, renames and removals in the directory durable. */
  syncDirectory(directory: string): void
  /**
   * Take the directory's lock file (`LOCK`) for this opener, or throw LockedError naming who holds it. Excludes every
   * other opener, also in this process; where the platform allows, LevelDB's own openers too.
   * @param onlyLooks whether this one changes no other file: a holder that it cannot see need not stop for it
   */
  lock(directory: string, onlyLooks?: boolean): Promise<DirectoryLock>
}

/** Two clocks: one for people, one for durations. */
export interface Clock {
  /** Milliseconds since the epoch, for people; never decides a result. */
  wallMs(): number
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number
}

/** A thread that runs one job at a time. Messages are structured clones; see worker/messages.ts for their types. */
export interface WorkerThread {
  /** Send a message; messages arrive in order. */
  post(message: unknown): void
  /** At most one handler; called on the owner's thread, in order. */
  onMessage(handler: (message: unknown) => void): void
  /** The thread has ended, of itself or by an error; no message follows. */
  onExit(handler: (error: Error | undefined) => void): void
  /** Take the next message if one has arrived, without yielding; it is not handed to the handler then. */
  receiveNow(): unknown
  /** Whether this thread keeps the process alive. */
  keepAlive(keep: boolean): void
  /** Have the thread take no message, ever, unless it has come to them. @returns false if it has: nothing has been done then */
  callOff(): boolean
  /**
   * End the thread, wherever it stands; one that has not come to its messages yet takes none of them.
   * @returns fulfilled when it has ended, and with it the call that it was in
   */
  terminate(): Promise<unknown>
}

/** One end of a channel between two threads. Messages are structured clones. */
export interface Port {
  /** When this returns, the message is there for the other end to take. */
  post(message: unknown): void
  /** At most one handler; called in order, as the event loop turns. */
  onMessage(handler: (message: unknown) => void): void
  /** The other end is closed, or its thread has ended, by whatever cause; no message follows. */
  onClose(handler: () => void): void
  /** Take the next message if one has arrived, without yielding; it is not handed to the handler then. */
  receiveNow(): unknown
  /** Whether this end keeps the thread alive. */
  keepAlive(keep: boolean): void
  /** Close both ends. */
  close(): void
}

/** Channels between threads. */
export interface Ports {
  /** A new channel: this thread's end, and one to be transferred to another thread, which adopts it there. */
  open(): { readonly near: Port; readonly far: object }
  /** @returns undefined if it is no end of a channel */
  adopt(far: unknown): Port | undefined
}

/** A compression that the host offers. */
export interface Codec {
  /** @returns the compressed form; the caller's */
  compress(contents: Bytes): Bytes
  /**
   * @param stored not trusted, but found to be one whole frame
   * @param length that it declares for its contents; bounded
   * @returns the contents, at most `length` bytes, the caller's; undefined if there are none to be had
   */
  uncompress(stored: Bytes, length: number): Bytes | undefined
}

/** Compressions that varve does not have itself. */
export interface Codecs {
  readonly zstd?: Codec | undefined
}

/** All that varve needs of its host. */
export interface Environment {
  readonly files: FileSystem
  readonly clock: Clock
  /** What the host can compress with; an environment without it has nothing but varve's own. */
  readonly codecs?: Codecs
  /** Channels to threads that see the same files; none where there are no such threads. */
  readonly ports?: Ports
  /** 32 random bits; seeds and jitter only. */
  random32(): number
  /** Call `task` after `delayMs`, once; the returned function cancels. Keeps the process alive only if told to. */
  later(delayMs: number, task: () => void, keepAlive?: boolean): () => void
  /**
   * Have a buffer refuse to be transferred to another thread (it is copied instead, or the transfer throws).
   * @returns whether it will
   */
  keepFromTransfer(buffer: ArrayBuffer): boolean
  /** Block this thread: for a synchronous caller that must wait. */
  sleep(durationMs: number): void
  /**
   * Block this thread while words[index] is `value` and nobody notifies of it, for `timeoutMs` at most.
   * @returns whether that time is over
   */
  waitWhile(words: Int32Array, index: number, value: number, timeoutMs: number): boolean
  /** Call `task` once the event loop has turned: what has arrived by then has been handled. Keeps the process alive. */
  soon(task: () => void): void
  /** Tell whoever observes the process what happened: `name` of a channel, and plain data. Cheap if nobody does. */
  publish(name: string, detail: object): void
  /**
   * Start a thread that runs varve's worker, or undefined where there are none: jobs then run inline.
   * @param isPatient whether other threads of the process may go first, where a host can see to that
   * @throws VarveError if this host has threads, and this one cannot be had: what is missing, and what to do about it
   */
  startWorker(isPatient?: boolean): WorkerThread | undefined
}
