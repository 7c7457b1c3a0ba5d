/** Reading ahead: the same bytes as from the file itself, in fewer reads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RandomAccessFile } from '../../src/base/environment.ts'
import { IOError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { ReadAheadFile } from '../../src/jobs/read-ahead-file.ts'

const CONTENTS = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff)

/** A file that writes down what is read of it, and can be made to fail. */
class CountedFile implements RandomAccessFile {
  readonly path = 'counted'
  readonly bytes: number = CONTENTS.length
  readonly reads: string[] = []
  isFailing = false
  isClosed = false

  read(offset: number, into: Uint8Array, intoOffset: number, length: number): void {
    this.reads.push(`${offset}+${length}`)
    if (this.isFailing || offset + length > this.bytes) throw new IOError('failed', { file: this.path })
    into.set(CONTENTS.subarray(offset, offset + length), intoOffset)
  }

  close(): void {
    this.isClosed = true
  }
}

function expectRead(file: RandomAccessFile, offset: number, length: number): void {
  const into = new Uint8Array(length + 4).fill(0xee)
  file.read(offset, into, 2, length)
  assert.deepEqual(into.subarray(2, 2 + length), CONTENTS.subarray(offset, offset + length))
  assert.deepEqual([into[1], into[length + 2]], [0xee, 0xee])
}

test('reads that follow one another are answered from large ones; others go to the file and disturb nothing', () => {
  const inner = new CountedFile()
  const file = new ReadAheadFile(inner, new Uint8Array(100))
  expectRead(file, 952, 48)
  expectRead(file, 900, 20)
  for (const [offset, length] of [
    [0, 40],
    [40, 40],
    [80, 20],
    [100, 60],
    [160, 60],
    [220, 90],
  ]) {
    expectRead(file, offset, length)
    if (offset === 40) expectRead(file, 500, 10)
  }
  assert.deepEqual(inner.reads, ['952+48', '900+20', '0+100', '500+10', '100+100', '160+100', '220+100'])
  // Longer than the buffer, then up to the end of the file, where less than a buffer is left.
  expectRead(file, 310, 640)
  expectRead(file, 950, 30)
  expectRead(file, 980, 20)
  expectRead(file, 310, 640)
  assert.deepEqual(inner.reads.slice(7), ['310+640', '950+50', '310+640'])
  file.close()
  assert.ok(inner.isClosed)
})

test('the end of the file is not read over', () => {
  const inner = new CountedFile()
  const file = new ReadAheadFile(inner, new Uint8Array(600))
  expectRead(file, 0, 600)
  expectRead(file, 600, 390)
  expectRead(file, 990, 10)
  assert.deepEqual(inner.reads, ['0+600', '600+400'])
  assert.throws(() => file.read(1000, new Uint8Array(1), 0, 1), { code: 'IO_ERROR' })
})

test('after a failed read nothing stale is answered', () => {
  const inner = new CountedFile()
  const buffer = new Uint8Array(100)
  const file = new ReadAheadFile(inner, buffer)
  expectRead(file, 0, 90)
  inner.isFailing = true
  assert.throws(() => file.read(90, new Uint8Array(50), 0, 50), { code: 'IO_ERROR' })
  inner.isFailing = false
  expectRead(file, 90, 50)
  expectRead(file, 90, 10)
  // The buffer serves another file, which begins anew.
  const other = new CountedFile()
  expectRead(new ReadAheadFile(other, buffer), 0, 10)
  assert.deepEqual(other.reads, ['0+100'])
})

test('random reads give what is in the file', () => {
  const seed = Number(process.env.VARVE_SEED ?? 1)
  const prng = new Prng(seed)
  for (let round = 0; round < 50; round++) {
    const file = new ReadAheadFile(new CountedFile(), new Uint8Array(1 + prng.below(300)))
    let at = 0
    for (let i = 0; i < 60; i++) {
      if (prng.below(4) === 0) at = prng.below(1000)
      const length = Math.min(prng.below(200), 1000 - at)
      expectRead(file, at, length)
      at += length
    }
  }
})
