/**
 * page-list: which Markdown files of the repository are pages of the site, in which group and order. A page may link to Markdown only if
 * that is a page.
 */
import { readdirSync } from 'node:fs'
import { posix } from 'node:path'

const DECISIONS = 'Decisions'
/** In the order in which they are shown, by group. The rest of docs/guides goes to the guides, of docs/rfcs to the decisions, of docs/ inside. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  Guides: [
    'docs/guides/README.md',
    'docs/guides/getting-started.md',
    'docs/guides/faq.md',
    'docs/durability.md',
    'docs/threads.md',
    'docs/guides/production.md',
    'docs/guides/observability.md',
    'docs/guides/tuning.md',
    'docs/guides/troubleshooting.md',
    'docs/guides/files.md',
    'docs/guides/from-classic-level.md',
    'docs/level.md',
    'docs/guides/from-lmdb.md',
    'docs/guides/from-sqlite.md',
  ],
  Examples: ['job-queue', 'time-series', 'url-shortener'].map((name) => `examples/${name}/README.md`),
  Inside: ['ARCHITECTURE.md', 'RELIABILITY.md', 'docs/memtable.md', 'docs/performance.md', 'conformance/README.md'],
  Measured: [
    'bench/README.md',
    'bench/report/report.md',
    'bench/report-xeon/report.md',
    'docs/memtable-benchmark.md',
    'docs/level-benchmark.md',
    'docs/growth/growth.md',
  ],
  Project: ['CHANGELOG.md', 'CONTRIBUTING.md', 'STYLE.md', 'SECURITY.md'],
  [DECISIONS]: ['docs/rfcs/README.md'],
}
export const FILES = 'Files'

export const GROUPS: readonly string[] = [
  'Guides',
  'Examples',
  'Modules',
  'Inside',
  DECISIONS,
  'Measured',
  'Project',
  '*',
  FILES,
]

/** Paths of all pages from the root of the repository. */
export function documents(root: string): string[] {
  const listed = Object.values(PAGES).flat()
  const found = readdirSync(posix.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join('docs', name.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.md') && !listed.includes(path))
  return [...listed, ...found.sort()]
}

/** The group that a page stands in. */
export function groupOf(path: string): string {
  if (path.startsWith('docs/rfcs/')) return DECISIONS
  if (path.startsWith('docs/guides/')) return 'Guides'
  return Object.keys(PAGES).find((group) => PAGES[group].includes(path)) ?? 'Inside'
}
