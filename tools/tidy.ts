/**
 * tidy: keeps the house style, so that reviewers need not. Reads every text file of the repository and prints what breaks
 * a rule, with what to do instead and why (rules: tools/tidy/rules.ts, tools/tidy/tree.ts; in prose: STYLE.md).
 *
 *   node .build/tools/tidy.js             check; status 1 if there is a finding
 *   node .build/tools/tidy.js --ratchet   lower tools/tidy-ratchet.json to the lengths of today; never raises it
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkFile, type Finding, lowerRatchet, type Ratchet } from './tidy/rules.ts'
import { parseSource, type SourceFile } from './tidy/source.ts'
import { checkDeadCode, checkLinks, checkWords } from './tidy/tree.ts'

const RATCHET_PATH = 'tools/tidy-ratchet.json'
/** What git ignores, too. */
const SKIPPED = ['.git', 'node_modules', '.build', 'dist', 'dist-site', 'bench/results', 'campaign/results']
const CODE = /^(src|test|tools|bench|campaign|examples)\/.*\.(ts|mjs)$/

/** Check a repository, given as its text files by path from the root. */
export function tidy(texts: ReadonlyMap<string, string>, ratchet: Ratchet): Finding[] {
  const findings: Finding[] = []
  const paths = [...texts.keys()]
  const isThere = (path: string): boolean => texts.has(path) || paths.some((other) => other.startsWith(`${path}/`))
  const sources = parseAll(texts)
  for (const source of sources) findings.push(...checkFile(source, ratchet))
  findings.push(...checkDeadCode(sources), ...checkRatchetPaths(ratchet, texts))
  for (const [path, text] of texts) {
    if (path.endsWith('.md')) findings.push(...checkLinks(path, text, isThere))
    findings.push(...checkWords(path, text))
  }
  return findings.sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1))
}

function parseAll(texts: ReadonlyMap<string, string>): SourceFile[] {
  return [...texts].filter(([path]) => CODE.test(path)).map(([path, text]) => parseSource(path, text))
}

function checkRatchetPaths(ratchet: Ratchet, texts: ReadonlyMap<string, string>): Finding[] {
  const keys = [...Object.keys(ratchet.files), ...Object.keys(ratchet.functions)]
  const gone = keys.filter((key) => !texts.has(key.split(' ')[0]))
  const advice = 'Run `npm run format`: the ratchet keeps only what is there.'
  return gone.map((key) => ({ path: RATCHET_PATH, line: 1, message: `${key} does not exist`, advice }))
}

/** The text files below `root`; one with a zero byte is none, and listed with no text, for links to it. */
function readTexts(root: string): Map<string, string> {
  const texts = new Map<string, string>()
  function walk(directory: string): void {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      const name = relative(root, path).split(sep).join('/')
      if (SKIPPED.includes(name) || entry.name === 'node_modules' || /\.(tgz|cpuprofile)$/.test(name)) continue
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile()) {
        const text = readFileSync(path, 'utf8')
        texts.set(name, text.includes('\0') ? '' : text)
      }
    }
  }
  walk(root)
  return texts
}

function main(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const texts = readTexts(root)
  let ratchet: Ratchet = JSON.parse(texts.get(RATCHET_PATH) ?? '{"files":{},"functions":{}}')
  if (process.argv.includes('--ratchet')) {
    ratchet = lowerRatchet(ratchet, parseAll(texts))
    writeFileSync(join(root, RATCHET_PATH), `${JSON.stringify(ratchet, undefined, 2)}\n`)
    return
  }
  const findings = tidy(texts, ratchet)
  for (const { path, line, message, advice } of findings) console.log(`${path}:${line}: ${message}\n    ${advice}`)
  console.log(`tidy: ${findings.length} findings in ${texts.size} files`)
  process.exitCode = findings.length > 0 ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
