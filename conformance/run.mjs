/**
 * conformance: one MemTable in four languages. Builds the programs, lets each write what the others read, compares their
 * dumps byte by byte, and ends with status 1 if anything differs. See README.md.
 *
 * VARVE_SEED      seed of the random scenarios (printed; random by default)
 * VARVE_SCENARIOS how many of them (10,000)
 */
import { createHash, randomInt } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { COMMENTS, KINDS, malformedDumps, WRONG_SCRIPTS } from './malformed.mjs'
import { buildAll, PROGRAMS, start, startOnFiles } from './programs.mjs'
import { makeScenarios } from './scenarios.mjs'

const SCENARIO = [
  ['new'],
  ['bulk', '100'],
  ['put', 'key50', 'REPLACED'],
  ['del', 'key10'],
  ['put', '', 'empty-key-value'],
  ['del', 'key99'],
]
const QUESTIONS = [['iter'], ['size'], ...['key50', 'key10', 'key99', '', 'no such key'].map((key) => ['get', key])]

const directory = mkdtempSync(join(tmpdir(), 'varve-conformance-'))
const failures = []
const begun = Date.now()

function fail(message) {
  failures.push(message)
}

function log(text) {
  console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${text}`)
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

const pathOf = (program, ending) => join(directory, `${program.name}${ending}`)

/** The lab's scenario, written by every program and read by every program. */
async function runMatrix() {
  await Promise.all(PROGRAMS.map(writeScenario))
  const digests = PROGRAMS.map((program) => sha256(readFileSync(pathOf(program, '.mmt'))))
  const answers = await Promise.all(PROGRAMS.map(readAll))
  const width = 15
  const row = (cells) => console.log(`         ${cells.map((cell) => cell.padEnd(width)).join('')}`)
  row(['written by', ...PROGRAMS.map(({ name }) => `by ${name}`), 'SHA-256'])
  PROGRAMS.forEach(({ name }, writer) => {
    const cells = answers.map((answer, reader) => {
      if (answer[writer] === answers[0][0]) return 'agrees'
      fail(`${PROGRAMS[reader].name} reads the dump of ${name} otherwise: ${answer[writer].slice(0, 200)}`)
      return 'DIFFERS'
    })
    row([name, ...cells, digests[writer]])
  })
  if (new Set(digests).size > 1) fail('the dumps of the scenario differ')
  log(`matrix: ${PROGRAMS.length} writers × ${PROGRAMS.length} readers, ${QUESTIONS.length} questions each`)
}

async function writeScenario(program) {
  for (const [command, ...args] of SCENARIO) {
    const { status, output } = await start(program, [command, pathOf(program, '.mmt'), ...args])
    if (status !== 0 || output !== '') throw new Error(`${program.name}: ${command} ended with ${status}: ${output}`)
  }
}

/** @returns for each writer everything that this reader says of its dump */
async function readAll(reader) {
  const answers = []
  for (const writer of PROGRAMS) {
    let answer = ''
    for (const [command, ...args] of QUESTIONS) {
      const { status, stdout, stderr } = await start(reader, [command, pathOf(writer, '.mmt'), ...args])
      answer += `${command}: ${status}\n${stdout}${stderr}`
    }
    answers.push(answer)
  }
  return answers
}

/** Run one script with every program; their answers must be the same. @returns the lines that they printed */
async function runScript(name, write) {
  const script = join(directory, `${name}.script`)
  const scriptFile = openSync(script, 'w')
  write((text) => writeSync(scriptFile, text))
  closeSync(scriptFile)
  await Promise.all(PROGRAMS.map((program) => runScriptWith(program, script, name)))
  const [first, ...others] = PROGRAMS.map((program) =>
    readFileSync(pathOf(program, `.${name}.out`), 'latin1').split('\n'),
  )
  for (const [i, lines] of others.entries()) compareLines(first, lines, PROGRAMS[0].name, PROGRAMS[i + 1].name)
  return first
}

async function runScriptWith(program, script, name) {
  const stdin = openSync(script, 'r')
  const stdout = openSync(pathOf(program, `.${name}.out`), 'w')
  const { status, stderr } = await startOnFiles(program, ['script', pathOf(program, `.${name}.dumps`)], stdin, stdout)
  closeSync(stdin)
  closeSync(stdout)
  if (status !== 0) throw new Error(`${program.name}: script ended with ${status}: ${stderr}`)
}

function compareLines(expected, actual, expectedBy, actualBy) {
  const at = [...expected, undefined].findIndex((line, i) => line !== actual[i])
  if (at < 0) return
  const title = expected.slice(0, at + 1).findLast((line) => line.startsWith('#'))
  fail(
    `${title ?? 'script'}, line ${at + 1}: ${expectedBy} prints ${expected[at]?.slice(0, 200)}\n    ${actualBy} prints ${actual[at]?.slice(0, 200)}`,
  )
}

async function runScenarios(seed, count) {
  const digests = []
  const lengths = []
  let operations = 0
  await runScript('scenarios', (write) => {
    for (const { lines, dumps } of makeScenarios(seed, count)) {
      write(`${lines.join('\n')}\n`)
      operations += lines.length
      lengths.push(dumps.map(({ length }) => length))
      digests.push(dumps.map(sha256))
    }
  })
  for (const program of PROGRAMS) compareDumps(program, lengths, digests)
  const dumpCount = digests.reduce((sum, list) => sum + list.length, 0)
  log(`scenarios: ${count} with ${operations} operations; ${dumpCount} dumps of each program compared by SHA-256`)
}

/** Compare the dumps that a program wrote with those that the model expects. */
function compareDumps(program, lengths, digests) {
  const written = readFileSync(pathOf(program, '.scenarios.dumps'))
  let at = 0
  for (let i = 0; i < digests.length; i++) {
    for (let k = 0; k < digests[i].length; k++) {
      const dump = written.subarray(at, at + lengths[i][k])
      if (sha256(dump) !== digests[i][k]) return fail(`scenario ${i}: dump ${k} of ${program.name} is not as expected`)
      at += dump.length
    }
  }
  if (at !== written.length) fail(`${program.name} wrote ${written.length - at} bytes too many`)
}

/** Every program refuses what is no script, and copies comments as they are. */
async function runWrongScripts() {
  await Promise.all(PROGRAMS.map(refuseScripts))
  const lines = await runScript('comments', (write) => write(Buffer.from(COMMENTS, 'latin1')))
  if (lines.join('\n') !== `${COMMENTS}\n`) fail(`comments are not copied as they are: ${lines.join('\n')}`)
  log(`scripts: ${WRONG_SCRIPTS.length} given to all that are none`)
}

async function refuseScripts(program) {
  for (const [name, text] of WRONG_SCRIPTS) {
    const path = pathOf(program, '.wrong')
    writeFileSync(path, Buffer.from(text, 'latin1'))
    const stdin = openSync(path, 'r')
    const { status, stdout } = await startOnFiles(program, ['script', pathOf(program, '.wrong.dumps')], stdin, 'pipe')
    closeSync(stdin)
    if (status === 0 || stdout !== '') fail(`${program.name} takes a script with ${name}: status ${status}, ${stdout}`)
  }
  const { status } = await start(program, ['bulk', pathOf(program, '.signed'), '+5'])
  if (status === 0) fail(`${program.name} takes +5 for a number`)
}

/** Every reader refuses every malformed dump, and gives the right reason. */
async function runMalformed() {
  const dumps = malformedDumps()
  const lines = await runScript('malformed', (write) => {
    for (const [dump] of dumps) write(`load ${dump.toString('hex') || '-'}\n`)
  })
  dumps.forEach(([dump, reason], i) => {
    if (lines[i] !== `refused: ${reason}`) fail(`${dump.toString('hex')}: ${lines[i]}, not ${reason}`)
  })
  for (const [i, kind] of KINDS.entries()) await Promise.all(PROGRAMS.map((program) => refuseFile(program, kind, i)))
  log(`malformed: ${dumps.length} dumps given to all, ${KINDS.length} of them also as files`)
}

async function refuseFile(program, [name, dump, reason], index) {
  const path = pathOf(program, `.${index}.bad`)
  writeFileSync(path, dump)
  const { status, stdout, stderr } = await start(program, ['iter', path])
  const [, what, offset] = /^(.*) \((at byte \d+)\)$/.exec(reason)
  if (status === 0 || stdout !== '' || !stderr.includes(what) || !stderr.includes(offset)) {
    fail(`${program.name} on a file that is ${name}: status ${status}, ${stdout}${stderr}`)
  }
}

async function main() {
  const seed = Number(process.env.VARVE_SEED ?? randomInt(2 ** 32))
  const count = Number(process.env.VARVE_SCENARIOS ?? 10_000)
  await buildAll()
  log(`built and tested: ${PROGRAMS.map(({ name }) => name).join(', ')}`)
  await runMatrix()
  await runWrongScripts()
  await runMalformed()
  log(`VARVE_SEED=${seed} VARVE_SCENARIOS=${count}`)
  await runScenarios(seed, count)
}

try {
  await main()
} catch (error) {
  fail(error.message)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
for (const failure of failures) console.log(`✖ ${failure}`)
console.log(failures.length === 0 ? 'all agree' : `${failures.length} differences`)
process.exitCode = failures.length === 0 ? 0 : 1
