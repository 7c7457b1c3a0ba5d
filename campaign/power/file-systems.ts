/**
 * FileSystems: those that are cut off from power: how each is made, and the ways in which it is mounted.
 *
 * A file system has seen mistakes like those that the campaign makes on purpose, and forgives some of them: ext4 writes a file
 * that is renamed over another first (auto_da_alloc). So it is mounted in ways that forgive less, too.
 */

export interface FileSystem {
  readonly name: string
  /** The program that makes one, and what it is told before the path. */
  readonly make: readonly string[]
  /** Options of mount, one set of which each life draws. */
  readonly mounts: readonly string[]
  /**
   * What its superblock takes for written in whole or not at all. Not so ext4's own: it has two sectors and one checksum, and is no longer
   * mounted if only one of them was written. Such cuts are counted, and say nothing of varve.
   */
  readonly sectorBytes: number
}

/** Of each: room for a few lives, and the least that mkfs.xfs takes. */
export const DISK_BYTES: number = 320 * 1024 * 1024

export const FILE_SYSTEMS: readonly FileSystem[] = [
  {
    name: 'ext4',
    // With all tables of inodes written, so that the kernel has nothing to write of its own.
    make: [
      'mkfs.ext4',
      '-q',
      '-F',
      '-b',
      '4096',
      '-N',
      '4096',
      '-J',
      'size=8',
      '-E',
      'lazy_itable_init=0,lazy_journal_init=0',
    ],
    mounts: ['', 'noauto_da_alloc', 'data=writeback,noauto_da_alloc', 'data=journal', 'commit=1,nodelalloc'],
    sectorBytes: 512,
  },
  { name: 'xfs', make: ['mkfs.xfs', '-q', '-f'], mounts: ['', 'wsync', 'logbufs=2'], sectorBytes: 512 },
  {
    name: 'btrfs',
    make: ['mkfs.btrfs', '-q', '-f'],
    mounts: ['', 'commit=1', 'notreelog', 'nodatacow', 'compress-force=zstd'],
    sectorBytes: 4096,
  },
]
