/**
 * make-golden: writes the golden databases of the tests with LevelDB itself (classic-level: LevelDB 1.20 in C++, Bloom
 * filter of 10 bits a key, compression off). Run again only to add a database: the files are the reference, and a
 * newer writer must not move it.
 *
 *   node .build/tools/make-golden.js
 *
 * A database is written to once, one awaited write after another, and closed; its log is kept. Opening it again
 * recovers the log into one table of level 0 that holds every version of every key. Each folder of
 * test/testdata/golden/ then has the log, that table, the MANIFEST that names it, and operations.json.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { toHex } from '../src/base/bytes.ts'
import { Prng } from '../src/base/prng.ts'

/** Type, key, value; bytes in hex. */
type Operation = readonly ['put', string, string] | readonly ['delete', string]

interface Golden {
  readonly name: string
  readonly blockBytes: number
  readonly restartInterval: number
  /** Each write is one batch of operations. */
  readonly writes: readonly (readonly Operation[])[]
}

const target = fileURLToPath(new URL('../../test/testdata/golden', import.meta.url))

function hex(text: string): string {
  return toHex(new TextEncoder().encode(text))
}

function put(key: string, value: string): Operation {
  return ['put', key, value]
}

function del(key: string): Operation {
  return ['delete', key]
}

function randomHex(prng: Prng, bytes: number): string {
  return toHex(Uint8Array.from({ length: bytes }, () => prng.below(256)))
}

/** A handful of entries in one block: small enough to damage every byte of. */
function small(): Golden {
  const writes = [
    [put(hex('apple'), hex('red'))],
    [put(hex('apricot'), hex('orange'))],
    [put(hex('banana'), hex('green'))],
    [put(hex('banana'), hex('yellow'))],
    [del(hex('apple'))],
    [put(hex('cherry'), '')],
    [put('', hex('the empty key'))],
    [put(hex('apple'), hex('russet')), del(hex('cherry')), put(hex('damson'), hex('blue'))],
  ]
  return { name: 'small', blockBytes: 4096, restartInterval: 16, writes }
}

/** Sorted keys with long common prefixes, over many small blocks. */
function sharedPrefixes(): Golden {
  const prng = new Prng(1)
  const writes = Array.from({ length: 240 }, (_, i) => {
    const key = hex(`user/${String(Math.floor(i / 40)).padStart(4, '0')}/session/${String(i).padStart(8, '0')}`)
    return [put(key, randomHex(prng, prng.below(40)))]
  })
  return { name: 'shared-prefixes', blockBytes: 1024, restartInterval: 4, writes }
}

/** Keys of the bytes 00, 01, fe and ff, of all lengths from 0, where separators cannot always be shortened. */
function binaryKeys(): Golden {
  const prng = new Prng(2)
  const edge = ['00', '01', 'fe', 'ff']
  const writes = Array.from({ length: 300 }, (_, i) => {
    const key = Array.from({ length: i === 0 ? 0 : prng.below(9) }, () => edge[prng.below(4)]).join('')
    return [prng.below(5) === 0 ? del(key) : put(key, randomHex(prng, prng.below(24)))]
  })
  return { name: 'binary-keys', blockBytes: 1024, restartInterval: 1, writes }
}

/** Few keys, each with many versions, so that one key's versions cross blocks; batches of several operations. */
function versions(): Golden {
  const prng = new Prng(3)
  const writes = Array.from({ length: 70 }, () =>
    Array.from({ length: 1 + prng.below(6) }, () => {
      const key = hex(`key-${prng.below(6)}`)
      return prng.below(4) === 0 ? del(key) : put(key, randomHex(prng, prng.below(30)))
    }),
  )
  return { name: 'versions', blockBytes: 1024, restartInterval: 16, writes }
}

/** Values from nothing to several times a block. */
function largeValues(): Golden {
  const prng = new Prng(4)
  const lengths = [0, 1, 127, 128, 129, 1000, 2047, 4000, 4096, 5000, 300, 0, 16, 2500]
  const writes = lengths.map((bytes, i) => [put(hex(`${'abc'[i % 3]}${prng.below(1000)}`), randomHex(prng, bytes))])
  return { name: 'large-values', blockBytes: 4096, restartInterval: 16, writes }
}

async function write(golden: Golden, directory: string): Promise<void> {
  const options = {
    keyEncoding: 'hex',
    valueEncoding: 'hex',
    compression: false,
    blockSize: golden.blockBytes,
    blockRestartInterval: golden.restartInterval,
  } as const
  const into = join(target, golden.name)
  rmSync(into, { recursive: true, force: true })
  mkdirSync(into, { recursive: true })

  const db = new ClassicLevel<string, string>(directory, options)
  await db.open()
  for (const operations of golden.writes) {
    await db.batch(
      operations.map((op) =>
        op[0] === 'put' ? { type: 'put', key: op[1], value: op[2] } : { type: 'del', key: op[1] },
      ),
    )
  }
  await db.close()
  copyFiles(directory, into, /\.log$/)

  const recovered = new ClassicLevel<string, string>(directory, options)
  await recovered.open()
  await recovered.close()
  copyFiles(directory, into, /\.ldb$|^MANIFEST-|^CURRENT$/)

  const { blockBytes, restartInterval, writes } = golden
  const lines = writes.map((operations) => `    ${JSON.stringify(operations)}`).join(',\n')
  writeFileSync(
    join(into, 'operations.json'),
    `{\n  "blockBytes": ${blockBytes},\n  "restartInterval": ${restartInterval},\n  "bloomBitsPerKey": 10,\n  "writes": [\n${lines}\n  ]\n}\n`,
  )
}

function copyFiles(from: string, to: string, names: RegExp): void {
  for (const name of readdirSync(from)) {
    if (names.test(name)) copyFileSync(join(from, name), join(to, name))
  }
}

for (const golden of [small(), sharedPrefixes(), binaryKeys(), versions(), largeValues()]) {
  const directory = mkdtempSync(join(tmpdir(), 'varve-golden-'))
  await write(golden, directory)
  rmSync(directory, { recursive: true })
  console.log(`${golden.name}: ${golden.writes.flat().length} operations`)
}
