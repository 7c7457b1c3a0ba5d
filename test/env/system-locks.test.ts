/** How a table of the kernel's locks is read; that it is read at all, node-lock.test.ts shows. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { deviceName, writeLockIn } from '../../src/env/system-locks.ts'

const FILE = { device: 'fe:00', inode: '2154837' }

const TABLES: [string, string, ReturnType<typeof writeLockIn>][] = [
  ['an empty table', '', undefined],
  ['an fcntl write lock', '1: POSIX  ADVISORY  WRITE 6503 fe:00:2154837 0 EOF\n', { owner: 'process', pid: 6503 }],
  [
    'a lock on a part',
    '7: POSIX  ADVISORY  WRITE 12 fe:00:2154837 1073741824 1073742335\n',
    { owner: 'process', pid: 12 },
  ],
  ['a lock of an open file', '12: OFDLCK ADVISORY  WRITE -1 fe:00:2154837 0 EOF\n', { owner: 'open file', pid: -1 }],
  ['a read lock', '1: POSIX  ADVISORY  READ 6503 fe:00:2154837 0 EOF\n', undefined],
  ['a flock', '1: FLOCK  ADVISORY  WRITE 6503 fe:00:2154837 0 EOF\n', undefined],
  ['a waiter', '1: -> POSIX  ADVISORY  WRITE 6503 fe:00:2154837 0 EOF\n', undefined],
  ['another inode', '1: POSIX  ADVISORY  WRITE 6503 fe:00:12154837 0 EOF\n', undefined],
  ['another device', '1: POSIX  ADVISORY  WRITE 6503 fd:00:2154837 0 EOF\n', undefined],
  [
    'the second of several',
    '1: FLOCK  ADVISORY  WRITE 1 fe:00:2154837 0 EOF\n2: POSIX  ADVISORY  WRITE 9 fe:00:2154837 0 EOF\n',
    { owner: 'process', pid: 9 },
  ],
]

for (const [what, table, expected] of TABLES) {
  it(`in the kernel's locks, ${what} is ${expected === undefined ? 'no holder' : 'a holder'}`, () => {
    assert.deepEqual(writeLockIn(table, FILE), expected)
  })
}

const DEVICES: [bigint, string][] = [
  [65024n, 'fe:00'],
  [0x2bn, '00:2b'],
  // Minor numbers beyond 8 bits lie above the major number.
  [0x1000_0803n, '08:10003'],
  // Major numbers beyond 12 bits lie above both.
  [0x0000_1000_0000_0000n, '1000:00'],
]

for (const [device, name] of DEVICES) {
  it(`device number ${device} is called ${name} in the kernel's locks`, () => {
    assert.equal(deviceName(device), name)
  })
}
