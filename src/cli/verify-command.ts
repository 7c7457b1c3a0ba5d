/**
 * `varve verify` and `varve repair`: what is wrong with a database, and what can be had of it all the same.
 */
import type { Command } from 'commander'
import { showBytesCount, showCount, showPlural } from '../inspect/figures.ts'
import { showBytes } from '../inspect/render-bytes.ts'
import {
  type AdminProgress,
  type GivenUp,
  type RepairReport,
  repair,
  VarveError,
  type VerifyReport,
  verify,
} from '../public/index.ts'
import { databaseCommand } from './database-command.ts'
import { reportToJson } from './entry-json.ts'
import { EXIT_DAMAGED, EXIT_FAILED, ExitError } from './exit.ts'
import type { Output } from './output.ts'
import { Progress } from './progress.ts'

interface VerifyCommandOptions {
  readonly json?: boolean
  readonly lock: boolean
}

interface RepairCommandOptions {
  readonly json?: boolean
  readonly dryRun?: boolean
}

const NOTHING_TO_WRITE = 'where you may only read, verify it'

/** What to do about the lock that is not to be had. */
const ADVICE: ReadonlyMap<string | undefined, string> = new Map([
  ['LOCKED', 'close it there first, or, while nobody writes to it, verify it'],
  ['EACCES', NOTHING_TO_WRITE],
  ['EPERM', NOTHING_TO_WRITE],
  ['EROFS', NOTHING_TO_WRITE],
])

export function addVerifyCommands(program: Command, output: Output): void {
  databaseCommand(program, 'verify')
    .summary('read and check every byte of a database')
    .description(
      'Read and check all of a database: names, records, blocks, entries, their order, filters, and that everything fits ' +
        `together. Changes nothing. Exit code ${EXIT_DAMAGED} if anything is damaged.`,
    )
    .option('--json', 'as JSON')
    .option(
      '--no-lock',
      'take no lock: while another process has it open but does not write, or where you have no permission to write',
    )
    .action((dir, options) => verifyDatabase(dir, options, output))
  databaseCommand(program, 'repair')
    .summary('make a damaged database usable again')
    .description(
      'Make a usable database from the sound parts of a damaged one, and list what was given up. What is replaced goes to the ' +
        'subdirectory lost; nothing is deleted. A sound database is left unchanged.',
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'as JSON')
    .action((dir, options) => repairDatabase(dir, options, output))
}

async function verifyDatabase(directory: string, { json, lock }: VerifyCommandOptions, output: Output): Promise<void> {
  const report = await shown((onProgress) => verify(directory, { readOnly: !lock, onProgress })).catch(adviseOnLock)
  await output.write(json ? `${reportToJson(report)}\n` : verifyText(report))
  await output.flush()
  if (!report.isDamaged) return
  const count = report.findings.filter(({ severity }) => severity === 'damage').length
  throw new ExitError(EXIT_DAMAGED, `${directory} is damaged in ${showPlural(count, 'place')}`)
}

/** Show on a terminal how far it has come. */
async function shown<T>(run: (onProgress: (progress: AdminProgress) => void) => Promise<T>): Promise<T> {
  const progress = new Progress({ show: showBytesCount, totalBytes: 0 })
  try {
    return await run(({ bytes, totalBytes }) => progress.update(bytes, bytes, totalBytes))
  } finally {
    progress.stop()
  }
}

/** What is written while it is read looks like damage; a holder that does not write is no obstacle, nor is a disk that takes no writes. */
function adviseOnLock(error: unknown): never {
  if (!(error instanceof VarveError)) throw error
  const code = error.code === 'LOCKED' ? error.code : (error.cause as { code?: string } | undefined)?.code
  const advice = ADVICE.get(code)
  if (advice === undefined) throw error
  throw new ExitError(EXIT_FAILED, `${error.message}; ${advice} with --no-lock`)
}

async function repairDatabase(
  directory: string,
  { json, dryRun = false }: RepairCommandOptions,
  output: Output,
): Promise<void> {
  const report = await shown((onProgress) => repair(directory, { dryRun, onProgress }))
  await output.write(json ? `${reportToJson(report)}\n` : repairText(report))
  await output.flush()
}

function verifyText({ files, entries, bytes, isDamaged, findings }: VerifyReport): string {
  const lines: string[] = []
  for (const file of files) {
    const level = file.level === undefined ? '' : `, level ${file.level}`
    const counted = file.entries > 0 ? `, ${showPlural(file.entries, 'entry', 'entries')}` : ''
    lines.push(`${file.name}: ${file.kind}${level}, ${showBytesCount(file.bytes)}${counted}`)
    for (const { severity, offset, message } of file.findings) {
      lines.push(`  ${severity}${offset === undefined ? '' : ` at byte ${offset}`}: ${message}`)
    }
  }
  const verdict = isDamaged
    ? 'damaged'
    : findings.some(({ severity }) => severity === 'warning')
      ? 'sound so far'
      : 'sound'
  lines.push(`${verdict}: ${showPlural(entries, 'entry', 'entries')} in ${showBytesCount(bytes)}`)
  return `${lines.join('\n')}\n`
}

function repairText(report: RepairReport): string {
  const warnings = report.warnings.map((warning) => `warning: ${warning}\n`).join('')
  if (!report.isNeeded)
    return `nothing to repair: ${showPlural(report.entriesKept, 'entry', 'entries')} in tables\n${warnings}`
  const lines = [
    `${report.isDryRun ? 'would repair' : 'repaired'} ${report.directory}`,
    report.levels === 'kept'
      ? `levels: as ${report.manifest} says`
      : 'levels: lost; sequence numbers decide which entry is newer',
  ]
  for (const { name, action, entries, movedTo } of report.files) {
    const counted = entries > 0 ? `, ${showPlural(entries, 'entry', 'entries')}` : ''
    lines.push(`  ${name}: ${action}${counted}${movedTo === undefined ? '' : `; now ${movedTo}`}`)
  }
  for (const part of report.givenUp) lines.push(givenUpText(part))
  const kept = `${showCount(report.entriesKept)} kept, ${showCount(report.entriesWritten)} written anew`
  lines.push(`entries: ${kept}; last sequence ${showCount(report.lastSequence)}`)
  return `${lines.join('\n')}\n${warnings}`
}

function givenUpText({ file, offset, bytes, reason, losesEntries, from, to }: GivenUp): string {
  const place = bytes > 0 ? ` ${showPlural(bytes, 'byte')} at ${offset}` : ''
  const range = `${from === undefined ? 'the first key' : showBytes(from)} to ${to === undefined ? 'the last key' : showBytes(to)}`
  const loss = losesEntries ? `; entries may be missing from ${range}` : '; no entry is lost by it'
  return `given up: ${file}${place}: ${reason}${loss}`
}
