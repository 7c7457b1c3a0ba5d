/**
 * The rules that look at the repository as a whole: source files and exports that nobody uses, links in Markdown that
 * lead nowhere, and words that must not be committed.
 */
import { posix } from 'node:path'
import type { Finding } from './rules.ts'
import type { Export, SourceFile } from './source.ts'

/** Files of src/ that the outside starts from. */
const ENTRIES = [
  'src/public/',
  'src/cli/main.ts',
  'src/level/varve-level.ts',
  'src/otel/instrument.ts',
  'src/worker/worker-main.ts',
  // package.json names it for web pages.
  'src/env/browser-env.ts',
]

/** What must be in no committed text, and why. The patterns are written so as not to match themselves. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, what: string, advice: string])[] = [
  [
    /\bregistr[y]\.(npmjs|yarnpkg|npmmirror|[a-z0-9-]+\.(com|org|net|io|dev|local|internal))\b|localhos[t]:4873\b/,
    'a package registry',
    'Name the package only: where it comes from is for the reader to configure.',
  ],
  [/(^|[\s"'`(=])\/wor[k]\//, 'a path of one machine', 'Name the path from the root of the repository.'],
  [
    /\bsub-?agen[t]|\bhelper agen[t]/i,
    'how the work was organised',
    'Say what the code does; the rest is not for its readers.',
  ],
]

/** Source files that nothing imports, and exported names that nothing uses. */
export function checkDeadCode(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = []
  const importers = findImporters(files)
  for (const file of files) {
    const isEntry = ENTRIES.some((entry) => file.path.startsWith(entry))
    if (!file.path.startsWith('src/') || isEntry) continue
    const users = importers.get(file.path)
    if (users === undefined) {
      const advice = 'Delete it, or use it: git remembers what was.'
      findings.push({ path: file.path, line: 1, message: 'no file imports this one', advice })
      continue
    }
    for (const exported of file.exports) {
      if (isUsed(file, exported, users)) continue
      const advice = 'Drop the export, or the code if its own file does not use it either: an export is a promise.'
      const message = `no file uses the export ${exported.name}`
      findings.push({ path: file.path, line: exported.line, message, advice })
    }
  }
  return findings
}

/** For each imported file: who imports it, and which names (`*` for any that the importer mentions). */
function findImporters(files: readonly SourceFile[]): Map<string, [importer: SourceFile, names: readonly string[]][]> {
  const importers = new Map<string, [SourceFile, readonly string[]][]>()
  for (const file of files) {
    for (const { target, names } of file.imports) {
      if (target === undefined || target === file.path) continue
      const list = importers.get(target) ?? []
      list.push([file, names])
      importers.set(target, list)
    }
  }
  return importers
}

/** A type may also be exported for the sake of a signature in its own file. */
function isUsed(
  file: SourceFile,
  { name, isType }: Export,
  users: readonly [SourceFile, readonly string[]][],
): boolean {
  if (isType && file.code.filter(({ text }) => text === name).length > 1) return true
  return users.some(
    ([importer, names]) =>
      names.includes(name) || (names.includes('*') && importer.code.some(({ text }) => text === name)),
  )
}

/** A link in Markdown to a file or directory of the repository. */
interface Link {
  readonly line: number
  readonly target: string
  /** From the root. */
  readonly path: string
}

/** The links of a Markdown file within the repository. Fenced and inline code is passed over. */
export function linksOf(path: string, text: string): Link[] {
  const links: Link[] = []
  let isFenced = false
  text.split('\n').forEach((line, i) => {
    if (/^\s*(```|~~~)/.test(line)) isFenced = !isFenced
    if (isFenced) return
    const prose = line.replace(/`[^`]*`/g, '')
    for (const [, inline, reference] of prose.matchAll(/\]\(\s*<?([^)\s>]+)|^\s*\[[^\]]+\]:\s*<?([^\s>]+)/g)) {
      const target = (inline ?? reference).replace(/[#?].*$/, '')
      if (target === '' || /^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) continue
      const base = target.startsWith('/') ? '.' : posix.dirname(path)
      links.push({ line: i + 1, target, path: posix.join(base, decodeURIComponent(target)).replace(/\/$/, '') })
    }
  })
  return links
}

/** Links to files of the repository that are not there. */
export function checkLinks(path: string, text: string, isThere: (path: string) => boolean): Finding[] {
  const advice = 'Mend the link, or say it without one: a reader follows it in good faith.'
  const broken = linksOf(path, text).filter((link) => !isThere(link.path))
  return broken.map(({ line, target }) => ({ path, line, message: `the link to ${target} leads nowhere`, advice }))
}

/** Words that must not be committed. */
export function checkWords(path: string, text: string): Finding[] {
  const findings: Finding[] = []
  text.split('\n').forEach((line, i) => {
    for (const [pattern, what, advice] of FORBIDDEN) {
      const found = pattern.exec(line)
      if (found !== null) findings.push({ path, line: i + 1, message: `“${found[0].trim()}”: ${what}`, advice })
    }
  })
  return findings
}
