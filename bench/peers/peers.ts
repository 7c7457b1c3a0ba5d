/**
 * Peers: who is compared with varve, how each is opened, and what it means by the durability of a row.
 */
import type { Subject, SubjectOptions } from '../subject.ts'

/** `before`: another build of varve. `leveldb`: LevelDB in C++, from a C++ program. Floors: `memtable`, varve's alone; `bare`, the machine alone. */
export type PeerName =
  | 'varve'
  | 'before'
  | 'classic-level'
  | 'lmdb'
  | 'sqlite'
  | 'memory-level'
  | 'leveldb'
  | 'memtable'
  | 'bare'

export interface Peer {
  readonly title: string
  readonly os: string
  readonly disk: string
}

export const PEERS: Readonly<Record<PeerName, Peer>> = {
  varve: { title: 'varve', os: "durability 'os'", disk: "durability 'disk'" },
  before: { title: 'varve before', os: "durability 'os'", disk: "durability 'disk'" },
  'classic-level': { title: 'classic-level', os: 'sync: false', disk: 'sync: true' },
  lmdb: { title: 'lmdb', os: 'noSync: true', disk: 'overlappingSync: false' },
  sqlite: { title: 'SQLite', os: 'WAL, synchronous = OFF', disk: 'WAL, synchronous = FULL' },
  'memory-level': { title: 'memory-level', os: 'keeps nothing', disk: 'keeps nothing' },
  leveldb: { title: 'LevelDB in C++', os: 'sync = false', disk: 'sync = true' },
  memtable: { title: 'MemTable alone', os: 'keeps nothing', disk: 'keeps nothing' },
  bare: { title: 'bare', os: 'write(2)', disk: 'write(2), fdatasync' },
}

/** Whether two peers can be compared at all: what differs in durability cannot. */
export function isEqual(peer: PeerName): boolean {
  return peer !== 'memory-level' && !isFloor(peer)
}

/** Whether it only takes a part of the work, and has nothing to read. */
export function isFloor(peer: PeerName): boolean {
  return peer === 'memtable' || peer === 'bare'
}

/** Loads nothing but what this peer needs. @throws PackageMissingError */
export async function openPeer(
  peer: PeerName,
  directory: string,
  options: SubjectOptions,
  build?: string,
): Promise<Subject> {
  switch (peer) {
    case 'varve':
      return (await import('../varve-subject.ts')).VarveSubject.open(directory, options)
    case 'before':
      return (await import('../varve-subject.ts')).VarveSubject.open(directory, options, build)
    case 'classic-level':
      return (await import('../level-subject.ts')).LevelSubject.open(directory, options)
    case 'memory-level':
      return (await import('../level-subject.ts')).LevelSubject.openMemory()
    case 'lmdb':
      return (await import('./lmdb-subject.ts')).LmdbSubject.open(directory, options)
    case 'sqlite':
      return (await import('./sqlite-subject.ts')).SqliteSubject.open(directory, options)
    case 'memtable':
      return new (await import('./memtable-alone.ts')).MemTableAlone(options)
    case 'bare':
      return (await import('./bare-subject.ts')).BareSubject.open(directory, options)
    case 'leveldb':
      throw new Error('LevelDB in C++ is a program of its own')
  }
}
