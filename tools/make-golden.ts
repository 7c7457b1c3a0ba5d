/**
 * make-golden: writes the golden databases of the tests with LevelDB itself (classic-level: LevelDB 1.20 in C++, Bloom
 * filter of 10 bits a key, compression off but where it is said). Run again only to add a database: the files are the reference, and a
 * newer writer must not move it.
 *
 *   node .build/tools/make-golden.js
 *
 * A database is written to once, one awaited write after another, and closed; its log is kept. Opening it again
 * recovers the log into one table of level 0 that holds every version of every key. Each folder of
 * test/testdata/golden/ then has the log, that table, the MANIFEST that names it, and operations.json.
 *
 * test/testdata/levels/ has a database that LevelDB compacted into several levels, compressed; content.json says how many
 * entries it holds and the checksum of them all, each as `key = value` in hex with a line feed. Which tables it has
 * depends on when LevelDB's own thread compacted, so a run of this program makes other files of the same content.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { toHex } from '../src/base/bytes.ts'
import { crc32c } from '../src/base/crc32c.ts'
import { Prng } from '../src/base/prng.ts'

/** Type, key, value; bytes in hex. */
type Operation = readonly ['put', string, string] | readonly ['delete', string]

interface Golden {
  readonly name: string
  readonly blockBytes: number
  readonly restartInterval: number
  readonly compression?: 'snappy'
  /** Each write is one batch of operations. */
  readonly writes: readonly (readonly Operation[])[]
}

const target = fileURLToPath(new URL('../../test/testdata/golden', import.meta.url))
const levels = fileURLToPath(new URL('../../test/testdata/levels', import.meta.url))

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

/** Text that compresses, beside values that do not; some blocks end up stored as they are. */
function compressed(): Golden {
  const prng = new Prng(5)
  const writes = Array.from({ length: 300 }, (_, i) => {
    const key = hex(`lake/${String(i % 90).padStart(4, '0')}`)
    if (i % 90 >= 60) return [put(key, randomHex(prng, 60 + prng.below(60)))]
    return [prng.below(8) === 0 ? del(key) : put(key, hex(prose(prng, 20 + prng.below(120))))]
  })
  return { name: 'snappy', blockBytes: 1024, restartInterval: 16, compression: 'snappy', writes }
}

function prose(prng: Prng, length: number): string {
  const words = ['silt', 'clay', 'summer', 'winter', 'layer', 'thaw', 'lake']
  let text = ''
  while (text.length < length) text += `${words[prng.below(words.length)]} `
  return text
}

async function write(golden: Golden, directory: string): Promise<void> {
  const options = {
    keyEncoding: 'hex',
    valueEncoding: 'hex',
    compression: golden.compression === 'snappy',
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

  const { blockBytes, restartInterval, compression, writes } = golden
  const extra = compression === undefined ? '' : `  "compression": "${compression}",\n`
  const lines = writes.map((operations) => `    ${JSON.stringify(operations)}`).join(',\n')
  writeFileSync(
    join(into, 'operations.json'),
    `{\n  "blockBytes": ${blockBytes},\n  "restartInterval": ${restartInterval},\n  "bloomBitsPerKey": 10,\n${extra}  "writes": [\n${lines}\n  ]\n}\n`,
  )
}

async function writeLevels(directory: string): Promise<number> {
  const into = join(levels, 'snappy')
  rmSync(into, { recursive: true, force: true })
  mkdirSync(into, { recursive: true })
  const prng = new Prng(6)
  const options = {
    keyEncoding: 'utf8',
    valueEncoding: 'utf8',
    compression: true,
    writeBufferSize: 64 * 1024,
    blockSize: 1024,
  } as const
  // Opened again and again: each recovery makes a table of level 0, and four of them a compaction.
  for (let round = 0; round < 6; round++) {
    const db = new ClassicLevel<string, string>(directory, options)
    await db.open()
    for (let i = 0; i < 400; i++) {
      const key = `lake/${String(prng.below(2000)).padStart(5, '0')}`
      if (prng.below(8) === 0) await db.del(key)
      else await db.put(key, prose(prng, 40 + prng.below(200)))
    }
    if (round === 3) await db.compactRange('lake/00000', 'lake/01000')
    await db.close()
  }
  const db = new ClassicLevel<string, string>(directory, options)
  await db.open()
  const entries = await db.iterator({ keyEncoding: 'hex', valueEncoding: 'hex' }).all()
  await db.close()
  copyFiles(directory, into, /\.ldb$|\.log$|^MANIFEST-|^CURRENT$/)
  const lines = new TextEncoder().encode(entries.map(([key, value]) => `${key} = ${value}\n`).join(''))
  const content = { entries: entries.length, crc32c: crc32c(lines, 0, lines.length) }
  writeFileSync(join(into, 'content.json'), `${JSON.stringify(content)}\n`)
  return entries.length
}

function copyFiles(from: string, to: string, names: RegExp): void {
  for (const name of readdirSync(from)) {
    if (names.test(name)) copyFileSync(join(from, name), join(to, name))
  }
}

for (const golden of [small(), sharedPrefixes(), binaryKeys(), versions(), largeValues(), compressed()]) {
  const directory = mkdtempSync(join(tmpdir(), 'varve-golden-'))
  await write(golden, directory)
  rmSync(directory, { recursive: true })
  console.log(`${golden.name}: ${golden.writes.flat().length} operations`)
}

const scratch = mkdtempSync(join(tmpdir(), 'varve-golden-'))
const count = await writeLevels(scratch)
rmSync(scratch, { recursive: true })
console.log(`levels/snappy: ${count} entries`)
