/**
 * The rules that look at one source file: layers, header, lengths, banned globals, promises, banned syntax. Each finding
 * says what to do instead and why the rule is there; STYLE.md has them in prose.
 */
import { type Import, matches, type SourceFile } from './source.ts'
import type { Token } from './tokens.ts'

export interface Finding {
  readonly path: string
  readonly line: number
  readonly message: string
  /** What to do instead, and why. */
  readonly advice: string
}

/** Greatest lengths seen so far of what is over a soft limit. They may only go down. */
export interface Ratchet {
  readonly files: Readonly<Record<string, number>>
  /** By `path name`. */
  readonly functions: Readonly<Record<string, number>>
}

export const FILE_LINES_SOFT = 400
export const FILE_LINES_HARD = 600
export const FUNCTION_LINES = 70

const LEAVES = ['base']
const ENGINE = 'base env memtable batch log table iterator cache version jobs worker db'.split(' ')
/** Folder of src/ → the folders that it may import from. Everything may import from itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  env: LEAVES,
  memtable: LEAVES,
  batch: LEAVES,
  log: LEAVES,
  table: LEAVES,
  iterator: LEAVES,
  cache: ['base', 'table'],
  version: ['base', 'log'],
  jobs: ['base', 'memtable', 'table', 'iterator', 'version'],
  worker: ['base', 'env', 'jobs', 'table'],
  db: ENGINE,
  inspect: ['base', 'log', 'table', 'batch', 'version'],
  admin: [...ENGINE, 'inspect'],
  cli: ['public', 'inspect'],
  level: ['public'],
  otel: ['public'],
  public: [...ENGINE, 'inspect', 'admin'],
}
/** Folder → further folders of which it may import types. */
const TYPE_LAYERS: Readonly<Record<string, readonly string[]>> = { inspect: ['db'] }

/** Places in src/ that may import `node:` modules: the doors to the host. */
const NODE_ALLOWED = ['src/env/', 'src/worker/worker-main.ts', 'src/cli/']
/** Packages that src/ may name: bundled into the command line tool, or found at run time if there. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  cli: ['commander', 'csv-parse'],
  env: ['fs-native-extensions'],
  level: ['abstract-level'],
  otel: ['@opentelemetry/api'],
}

/** Places in src/ that may use `async`, `await` and `.then(`, and why. */
const ASYNC_ALLOWED: Readonly<Record<string, string>> = {
  'src/db/write/commit-driver.ts': 'where the engine waits for writes',
  'src/db/drivers.ts': 'where it waits for all else',
  'src/db/calls.ts': 'what is done once the calls of a turn are over',
  'src/db/copies/long-runs.ts': 'lets the event loop turn between the steps of a long run',
  'src/db/open.ts': 'waits for the lock, before there is an engine',
  'src/db/threads/sharing.ts': 'answers what another thread writes when its promise is settled',
  'src/env/': 'the host hands out promises',
  'src/worker/worker-lane.ts': 'the host ends threads by promises',
  'src/admin/under-lock.ts': 'waits for the lock, and for the chunks of a backup',
  'src/cli/': 'an application, not the engine',
  'src/level/': "abstract-level's contract is made of promises",
}

/** Places in src/ that may use the globals below. */
const GLOBALS_ALLOWED = ['src/env/', 'src/cli/']
/** abstract-level hands out Buffers. */
const BUFFER_ALLOWED = ['src/level/']
const TIMER = 'Environment.later: timers are part of the simulated world'
/** Global → what to use instead, and why. */
const BANNED_GLOBALS: Readonly<Record<string, string>> = {
  performance: 'Clock.monotonicMs: a simulation decides the time',
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  queueMicrotask: TIMER,
  process: 'an option or the Environment: the engine also runs where there is no process',
  console: 'the logger of the options, or an error: a library does not print',
  Buffer:
    'Uint8Array with base/bytes.ts and base/text.ts: the engine also runs without Node, and Buffer.slice is a view',
  crypto: 'Environment.random32: a run must be repeatable from its seed',
}

function isIn(path: string, places: Iterable<string>): boolean {
  for (const place of places) if (place.endsWith('/') ? path.startsWith(place) : path === place) return true
  return false
}

function isSource({ path }: SourceFile): boolean {
  return path.startsWith('src/')
}

/** All findings in one file. */
export function checkFile(file: SourceFile, ratchet: Ratchet): Finding[] {
  const findings: Finding[] = []
  const report: Report = (line, message, advice) => findings.push({ path: file.path, line, message, advice })
  if (isSource(file)) {
    for (const imported of file.imports) checkImport(file, imported, report)
    checkHeader(file, report)
    checkGlobals(file, report)
    checkAsync(file, report)
    if (file.folder === 'public') checkPublic(file, report)
  }
  checkSyntax(file, report)
  checkComments(file, report)
  checkLengths(file, ratchet, report)
  return findings
}

type Report = (line: number, message: string, advice: string) => void

function checkImport(file: SourceFile, { specifier, target, isTypeOnly, isUrl, line }: Import, report: Report): void {
  if (target !== undefined) {
    const folder = target.split('/')[1]
    const isLayered =
      LAYERS[file.folder]?.includes(folder) || (isTypeOnly && TYPE_LAYERS[file.folder]?.includes(folder))
    if (isUrl || folder === file.folder || (isLayered && target.startsWith('src/'))) return
    const may = LAYERS[file.folder]?.join(', ') || 'nothing else'
    const message = `${file.folder} must not import ${specifier}; it may import ${may}`
    report(
      line,
      message,
      'Hand it in from above, or move the shared noun to base: layers keep every folder readable alone.',
    )
  } else if (specifier.startsWith('node:')) {
    if (isIn(file.path, NODE_ALLOWED)) return
    const advice =
      'Go through Environment (base/environment.ts): it is what a simulation, a browser and a test replace.'
    report(line, `${specifier} outside ${NODE_ALLOWED.join(', ')}`, advice)
  } else if (!PACKAGES[file.folder]?.includes(specifier)) {
    const advice = 'Write it, or do without: varve has no runtime dependency.'
    report(line, `the package ${specifier} in src/${file.folder}`, advice)
  }
}

function checkHeader({ tokens }: SourceFile, report: Report): void {
  const header = tokens.find(({ text }) => !text.startsWith('#!'))
  if (header?.text.startsWith('/**') && header.text.includes('\n')) return
  const advice = 'Say what it is, its format, invariants and threads: a reader must not need a second document.'
  report(1, 'the file does not open with a header comment /** … */ of two lines or more', advice)
}

function checkGlobals({ path, code }: SourceFile, report: Report): void {
  if (isIn(path, GLOBALS_ALLOWED)) return
  code.forEach((token, i) => {
    if (token.kind !== 'word' || isMember(code, i)) return
    const use = (what: string, instead: string): void => report(token.line, `${what} outside env`, `Use ${instead}.`)
    if (token.text === 'Buffer' && isIn(path, BUFFER_ALLOWED)) return
    if (Object.hasOwn(BANNED_GLOBALS, token.text)) use(token.text, BANNED_GLOBALS[token.text])
    if (matches(code, i, 'Date', '.', 'now') || matches(code, i, 'new', 'Date')) {
      use(matches(code, i, 'new') ? 'new Date' : 'Date.now', 'Clock.wallMs: a simulation decides the time')
    }
    if (matches(code, i, 'Math', '.', 'random')) {
      use('Math.random', 'Environment.random32 or base/prng.ts: a run must be repeatable from its seed')
    }
  })
}

/** Whether the word at `at` is a member's name, in `x.word`, `{ word: … }` or `word(…): …` of an interface. */
function isMember(code: readonly Token[], at: number): boolean {
  const previous = code[at - 1]?.text
  if (previous === '.' || previous === '?.') return true
  const next = code[at + 1]?.text === '?' ? code[at + 2]?.text : code[at + 1]?.text
  return next === ':' && ['{', ',', '(', 'readonly'].includes(previous)
}

function checkAsync({ path, code }: SourceFile, report: Report): void {
  if (isIn(path, Object.keys(ASYNC_ALLOWED))) return
  const advice = `Promises are for ${Object.keys(ASYNC_ALLOWED).join(', ')}: the data plane is synchronous code, written once.`
  code.forEach((token, i) => {
    const isThen = matches(code, i, '.', 'then', '(')
    const isWord = (token.text === 'async' || token.text === 'await') && token.kind === 'word' && !isMember(code, i)
    if (isThen || isWord) report(token.line, `${isThen ? '.then(' : token.text} outside the drivers`, advice)
  })
}

function checkPublic({ code }: SourceFile, report: Report): void {
  const declaration = code.find(({ text }) => /^(const|let|var|function|class|interface|import|async)$/.test(text))
  if (declaration === undefined) return
  const advice =
    'Declare it in the engine and export it from here: public/ says what exists outside, and holds no logic.'
  report(declaration.line, `${declaration.text} in public/, which only re-exports`, advice)
}

function checkSyntax({ code }: SourceFile, report: Report): void {
  code.forEach((token, i) => {
    if (token.kind !== 'word' || code[i - 1]?.text === '.') return
    const next = code[i + 1]
    if (token.text === 'export' && next?.text === 'default') {
      report(token.line, 'a default export', 'Export a name: it is the same in every file that imports it.')
    }
    if ((token.text === 'enum' || token.text === 'namespace') && next?.kind === 'word' && code[i + 2]?.text === '{') {
      report(
        token.line,
        `${token.text} ${next.text}`,
        'Use a module of constants: only types may vanish in compilation.',
      )
    }
    if (token.text === 'as' && next?.text === 'any') {
      report(
        token.line,
        'as any',
        'Narrow it, or cast to the type that it has: any switches the compiler off downstream.',
      )
    }
  })
}

function checkComments({ tokens }: SourceFile, report: Report): void {
  for (const { kind, text, line } of tokens) {
    if (kind !== 'comment') continue
    const todo = /\b(TODO|FIXME|XXX)\b/.exec(text)
    if (todo !== null && !/\bRFC[ -]?\d+/.test(text)) {
      report(line, `${todo[0]} without an RFC number`, 'Do it, drop it, or write the RFC page that says when.')
    }
    const directive = /@ts-(ignore|nocheck)\b/.exec(text)
    if (directive !== null)
      report(line, directive[0], 'Use @ts-expect-error and say why: it fails once it is not needed.')
  }
}

function checkLengths(file: SourceFile, ratchet: Ratchet, report: Report): void {
  const { path, lines } = file
  const isTest = path.startsWith('test/')
  const shorter = 'Split it by nouns or steps: what fits a screen is read; what grows is not.'
  if (lines > FILE_LINES_HARD) report(1, `${lines} lines; no file may exceed ${FILE_LINES_HARD}`, shorter)
  else if (!isTest) checkRatchet(ratchet.files[path], lines, FILE_LINES_SOFT, 'the file', 1)
  for (const [name, { line, lines: length }] of longestFunctions(file)) {
    // The body of a describe or a test is no function that anybody calls.
    if (isTest && name === 'anonymous') continue
    checkRatchet(ratchet.functions[`${path} ${name}`], length, FUNCTION_LINES, name, line)
  }

  function checkRatchet(listed: number | undefined, actual: number, limit: number, what: string, line: number): void {
    const allowed = Math.max(listed ?? 0, limit)
    if (actual > allowed) report(line, `${what} has ${actual} lines; ${allowed} are allowed`, shorter)
    else if (listed !== undefined && actual < listed) {
      const advice = 'Run `npm run format`: what has become shorter must not grow again.'
      report(line, `${what} has ${actual} lines; the ratchet still allows ${listed}`, advice)
    }
  }
}

/** For each name the longest function that bears it. */
function longestFunctions(file: SourceFile): Map<string, { readonly line: number; readonly lines: number }> {
  const longest = new Map<string, { readonly line: number; readonly lines: number }>()
  for (const span of file.functions) {
    if (span.lines > (longest.get(span.name)?.lines ?? 0)) longest.set(span.name, span)
  }
  return longest
}

/** The ratchet with every entry lowered to what `files` need now, and without those that nothing needs. */
export function lowerRatchet(ratchet: Ratchet, files: readonly SourceFile[]): Ratchet {
  const lowered: { files: Record<string, number>; functions: Record<string, number> } = { files: {}, functions: {} }
  for (const file of files) {
    const { path, lines } = file
    if (lines > FILE_LINES_SOFT && path in ratchet.files) lowered.files[path] = Math.min(lines, ratchet.files[path])
    for (const [name, { lines: length }] of longestFunctions(file)) {
      const listed = ratchet.functions[`${path} ${name}`]
      if (length > FUNCTION_LINES && listed !== undefined) {
        lowered.functions[`${path} ${name}`] = Math.min(length, listed)
      }
    }
  }
  return lowered
}
