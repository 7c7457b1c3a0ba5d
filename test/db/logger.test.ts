/**
 * What a logger is told, line by line, and that nothing it does harms the database.
 */
import assert from 'node:assert/strict'
import { Console } from 'node:console'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { open } from '../../src/db/open.ts'
import type { Logger } from '../../src/db/reports/event-log.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, directoryOf, entriesOf, environmentOf, flipped, leftBy, openIn, withFile } from './directories.ts'
import { writeUntilRefused } from './stalled.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

interface Line {
  readonly level: (typeof LEVELS)[number]
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps its lines, and the lines. */
function recorder(): { readonly logger: Logger; readonly lines: Line[]; told(): string[] } {
  const lines: Line[] = []
  const take =
    (level: Line['level']) =>
    (fields: object, message: string): void => {
      lines.push({ level, message, fields: { ...fields } })
    }
  const logger: Logger = { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') }
  return { logger, lines, told: () => lines.map(show) }
}

/** What loggers call their own members; a field of that name would be there twice. */
const RESERVED = ['level', 'time', 'msg', 'message', 'pid', 'hostname']

function show({ level, message, fields }: Line): string {
  for (const name of RESERVED) assert.ok(!(name in fields), `${message} has a field ${name}`)
  return `${level} ${message}`
}

const TWO_TABLES = { level0CompactionTrigger: 2 }

test('a life without mishap: creation, flushes, a compaction, closing', async () => {
  const { logger, lines, told } = recorder()
  const db = await openIn(new MemoryEnvironment(), { logger, ...TWO_TABLES })
  for (let i = 0; i < 2; i++) {
    db.putSync('a', `${i}`)
    await db.flush()
  }
  await db.compactRange()
  await db.close()
  assert.deepEqual(told(), [
    'info database created',
    'info flushed',
    'info flushed',
    'debug compaction begins',
    'info compacted',
    'info database closed',
  ])
  assert.ok(lines.every(({ fields }) => fields.directory === DIRECTORY))
  const [created, flushed, , , compacted, closed] = lines.map(({ fields }) => fields)
  const { durationMs, ...opened } = created
  assert.deepEqual(opened, {
    directory: DIRECTORY,
    created: true,
    readOnly: false,
    tables: 0,
    tableBytes: 0,
    logs: 0,
    logBytes: 0,
    entries: 0,
    tablesWritten: 0,
    discardedBytes: 0,
    lastSequence: 0,
  })
  assert.equal(flushed.entries, 1)
  assert.ok(Number(flushed.bytes) > 0 && Number(compacted.bytesRead) > 0 && Number(compacted.bytesWritten) > 0)
  assert.deepEqual([compacted.inputLevel, compacted.outputLevel, compacted.inputs, compacted.outputs], [0, 1, 2, 1])
  for (const fields of [created, flushed, compacted, closed]) assert.equal(typeof fields.durationMs, 'number')
  assert.equal(typeof durationMs, 'number')
})

test('after a crash: what was replayed, and where a torn log was cut', async () => {
  const left = await leftBy((db) => {
    for (let i = 0; i < 10; i++) db.putSync(`key${i}`, 'value')
  })
  const [name, log] = [...left].find(([file]) => file.endsWith('.log'))!
  const { logger, lines, told } = recorder()
  const db = await openIn(environmentOf(withFile(left, name, log.slice(0, -3))), { logger })
  assert.deepEqual(told(), ['warn the log was cut short here: the rest is discarded', 'info database opened'])
  const [cut, opened] = lines.map(({ fields }) => fields)
  const [discarded] = db.recoveryInfo.discarded
  assert.deepEqual(cut, { directory: DIRECTORY, ...discarded })
  assert.deepEqual(
    [opened.created, opened.entries, opened.logs, opened.tables, opened.discardedBytes, opened.lastSequence],
    [false, 9, 1, 1, discarded.bytes, 9],
  )
  await db.close()
})

test('an opening that is refused is an error, whatever refuses it', async () => {
  const { logger, lines, told } = recorder()
  const left = await leftBy((db) => db.putSync('a', '1'))
  const current = left.get('CURRENT')!
  await assert.rejects(openIn(environmentOf(withFile(left, 'CURRENT', flipped(current, 0))), { logger }), {
    code: 'CORRUPTION',
  })
  await assert.rejects(openIn(new MemoryEnvironment(), { logger, createIfMissing: false }), { code: 'NOT_FOUND' })
  const memory = new MemoryEnvironment()
  const holder = await openIn(memory)
  await assert.rejects(openIn(memory, { logger }), { code: 'LOCKED' })
  await holder.close()
  assert.deepEqual(told(), Array(3).fill('error the database could not be opened'))
  assert.deepEqual(
    lines.map(({ fields }) => (fields.err as { code: string }).code),
    ['CORRUPTION', 'NOT_FOUND', 'LOCKED'],
  )
})

test('a flush that fails is told with its error and its next try, and writes that wait with the reason', async () => {
  const { logger, lines, told } = recorder()
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { logger, environment, maxImmutableMemTables: 1, stallTimeoutMs: 50 })
  environment.setFaults(({ path }) => (path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  writeUntilRefused(db)
  environment.setFaults(undefined)
  await db.flush()
  await db.close()
  const failed = lines.find(({ message }) => message === 'flush failed, and is tried again')!
  const { work, attempt, retryMs, err } = failed.fields
  assert.deepEqual([failed.level, work, attempt, retryMs], ['warn', 'flush', 1, 100])
  assert.match((err as Error).message, /EIO/)
  const began = lines.find(({ message }) => message === 'writes wait')!
  assert.deepEqual([began.level, began.fields.reason, began.fields.immutableMemTables], ['warn', 'memtables', 1])
  const order = told().filter((line) => /writes|closed/.test(line))
  assert.deepEqual(order, ['warn writes wait', 'info writes go on', 'info database closed'])
})

test('damage that a compaction finds is an error that names file and offset', async () => {
  const { logger, lines } = recorder()
  const left = await leftBy(async (db) => {
    for (let i = 0; i < 2; i++) {
      db.putSync('a', `${i}`)
      await db.flush()
    }
  })
  const [name, table] = [...left].find(([file]) => file.endsWith('.ldb'))!
  const db = await openIn(environmentOf(withFile(left, name, flipped(table, 3))), { logger })
  await assert.rejects(db.compactRange(), { code: 'CORRUPTION' })
  const found = lines.find(({ message }) => message === 'damage found by a compaction')!
  const { code, file, offset } = found.fields.err as { code: string; file: string; offset: number }
  assert.deepEqual([found.level, code, file, offset], ['error', 'CORRUPTION', `${DIRECTORY}/${name}`, 0])
  await db.close()
})

test('damage that reads find is told once for each file, after the read, by event and log', async () => {
  const left = await leftBy(
    async (db) => {
      for (const key of ['a', 'b']) {
        for (let i = 0; i < 20; i++) db.putSync(`${key}${i}`, 'v'.repeat(100))
        await db.flush()
      }
    },
    { compression: 'none', blockBytes: 1 },
  )
  const names = [...left.keys()].filter((file) => file.endsWith('.ldb'))
  const damaged = names.reduce((files, name) => withFile(files, name, flipped(left.get(name)!, 3)), left)
  const { logger, lines, told } = recorder()
  const db = await openIn(environmentOf(damaged), { logger })
  const files: unknown[] = []
  db.on('damage', ({ file, offset, error }) => {
    files.push([file, offset, (error as { code?: unknown }).code])
    // It may call the database.
    assert.equal(db.getSync('absent'), undefined)
  })
  const reads: readonly (() => unknown)[] = [
    () => db.getSync('a0'),
    () => db.hasSync('a0'),
    () => db.getManySync(['a0', 'a19']),
  ]
  for (const read of reads) assert.throws(read, { code: 'CORRUPTION' })
  assert.deepEqual(files, [])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(files, [[`${DIRECTORY}/${names[0]}`, 0, 'CORRUPTION']])
  for (const read of reads) assert.throws(read, { code: 'CORRUPTION' })
  assert.throws(() => [...db.scanSync({ gte: 'b' })], { code: 'CORRUPTION' })
  assert.throws(() => db.cursor({ gte: 'b' }).seek('b0'), { code: 'CORRUPTION' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    files.slice(1),
    names.slice(1).map((name) => [`${DIRECTORY}/${name}`, 0, 'CORRUPTION']),
  )
  assert.deepEqual(
    lines
      .filter(({ message }) => message === 'damage found by a read')
      .map(({ level, fields }) => [level, (fields.err as { file: string }).file]),
    names.map((name) => ['error', `${DIRECTORY}/${name}`]),
  )
  assert.equal(told().filter((line) => line.includes('damage')).length, names.length)
  await db.close()
})

test('damage that a read found right before the closing is told before that ends, and logged before the closing is', async () => {
  const left = await leftBy(async (db) => {
    db.putSync('a', '1')
    await db.flush()
  })
  const [name, bytes] = [...left].find(([file]) => file.endsWith('.ldb'))!
  const { logger, told } = recorder()
  const memory = environmentOf(withFile(left, name, flipped(bytes, 3)))
  // As for a program that ends itself once it has closed: no turn of the event loop comes any more.
  memory.soon = () => {}
  const db = await openIn(memory, { logger })
  const files: unknown[] = []
  db.on('damage', ({ file }) => files.push(file))
  assert.throws(() => db.getSync('a'), { code: 'CORRUPTION' })
  await db.close()
  assert.deepEqual(files, [`${DIRECTORY}/${name}`])
  assert.deepEqual(told().slice(-2), ['error damage found by a read', 'info database closed'])
})

test('damage that a scan meets before its first entry is told as well', async () => {
  const left = await leftBy(async (db) => {
    for (let i = 0; i < 20; i++) db.putSync(`a${i}`, 'v'.repeat(100))
    await db.flush()
  })
  const [name, bytes] = [...left].find(([file]) => file.endsWith('.ldb'))!
  // In the index, which lies before the footer of 48 bytes.
  const db = await openIn(environmentOf(withFile(left, name, flipped(bytes, bytes.length - 48 - 8))))
  const files: unknown[] = []
  db.on('damage', ({ file }) => files.push(file))
  assert.throws(() => db.scanSync(), { code: 'CORRUPTION' })
  assert.throws(() => db.cursor(), { code: 'CORRUPTION' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(files, [`${DIRECTORY}/${name}`])
  await db.close()
})

test('a log that fails is an error, once, and so is a closing that fails', async () => {
  const { logger, lines, told } = recorder()
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { logger, environment })
  environment.setFaults(({ op, path }) => (op === 'append' && path.endsWith('.log') ? { code: 'EIO' } : undefined))
  for (let i = 0; i < 3; i++) assert.throws(() => db.putSync('a', '1'))
  await db.close()
  environment.setFaults(undefined)
  const next = await openIn(memory, { logger, environment })
  next.putSync('a', '1')
  environment.setFaults(({ op }) => (op === 'append' || op === 'sync' ? { code: 'EIO' } : undefined))
  await assert.rejects(next.close())
  assert.deepEqual(
    told().filter((line) => line.startsWith('error') || line.endsWith('closed')),
    [
      'error log or MANIFEST failed: no more writes until reopened',
      'info database closed',
      'error log or MANIFEST failed: no more writes until reopened',
      'error database closed, with an error',
    ],
  )
  for (const { level, fields } of lines) if (level === 'error') assert.match((fields.err as Error).message, /EIO/)
})

function throws(): never {
  throw new Error('the disk of the log is full')
}

const HARMFUL: Readonly<Record<string, Logger>> = {
  'that throws': { debug: throws, info: throws, warn: throws, error: throws },
  'whose functions are gone': Object.assign(Object.create(null), {
    debug: () => {},
    info(this: Record<string, unknown>) {
      for (const level of LEVELS) delete this[level]
    },
    warn: () => {},
    error: () => {},
  }),
  'that rejects': {
    debug: async () => throws(),
    info: async () => throws(),
    warn: async () => throws(),
    error: async () => throws(),
  },
  'that rejects in another realm': runInNewContext(`({
    debug: async () => { throw new Error() },
    info: async () => { throw new Error() },
    warn: async () => { throw new Error() },
    error: async () => { throw new Error() },
  })`),
}

for (const [what, logger] of Object.entries(HARMFUL)) {
  test(`a logger ${what} harms nothing`, async (t) => {
    const unhandled: unknown[] = []
    const note = (error: unknown): void => {
      unhandled.push(error)
    }
    process.on('unhandledRejection', note)
    t.after(() => process.off('unhandledRejection', note))
    const memory = new MemoryEnvironment()
    const db = await openIn(memory, { logger, ...TWO_TABLES })
    for (let i = 0; i < 4; i++) {
      await db.put(`key${i}`, `${i}`)
      await db.flush()
    }
    await db.close()
    const again = await openIn(environmentOf(directoryOf(memory)))
    assert.deepEqual(entriesOf(again), ['key0=0', 'key1=1', 'key2=2', 'key3=3'])
    await again.close()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(unhandled, [])
  })
}

test('what is no logger is refused before anything is opened', async () => {
  const { logger } = recorder()
  for (const [wrong, message] of [
    [{}, /option logger must be an object with debug, info, warn, error/],
    [{ ...logger, warn: 'loud' }, /option logger must have a function warn/],
  ] as const) {
    const memory = new MemoryEnvironment()
    const error = { code: 'INVALID_ARGUMENT', message }
    await assert.rejects(open(DIRECTORY, { environment: memory, logger: wrong as unknown as Logger }), error)
    assert.deepEqual(memory.paths(), [])
  }
})

/** Write a little, close, and give the text that came out of a stream. */
async function textOf(makeLogger: (stream: PassThrough) => Logger): Promise<string> {
  const stream = new PassThrough()
  const chunks: string[] = []
  stream.on('data', (chunk) => chunks.push(String(chunk)))
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, { logger: makeLogger(stream) })
  db.putSync('a', '1')
  await db.close()
  await assert.rejects(openIn(memory, { logger: makeLogger(stream), errorIfExists: true }))
  stream.end()
  return chunks.join('')
}

test('pino is a logger: one object a line, errors with code and stack', async () => {
  const text = await textOf((stream) => pino({ level: 'debug' }, stream))
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      [30, 'database created'],
      [30, 'flushed'],
      [30, 'database closed'],
      [50, 'the database could not be opened'],
    ],
  )
  assert.deepEqual([lines[1].directory, lines[1].entries, typeof lines[1].bytes], [DIRECTORY, 1, 'number'])
  assert.deepEqual([lines[3].err.type, lines[3].err.code], ['AlreadyExistsError', 'ALREADY_EXISTS'])
  assert.match(lines[3].err.stack, /there is a database/)
})

test('console is a logger', async () => {
  const text = await textOf((stream) => new Console({ stdout: stream, stderr: stream }))
  for (const message of ['database created', 'flushed', 'database closed', 'the database could not be opened'])
    assert.ok(text.includes(message), message)
})
