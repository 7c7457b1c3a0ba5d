/**
 * make-site: typedoc with the options, the pages and the addresses of varve's site.
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, Converter, KindRouter, OptionDefaults, ReflectionKind } from 'typedoc'
import { checkSite } from '../../.build/tools/site/check-site.js'
import { documents, GROUPS } from '../../.build/tools/site/page-list.js'
import { addLinkedPages, settle, takeHeading } from './pages.mjs'
import { describe, leaveOut, linkPages, nameModules } from './reference.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const out = `${root}dist-site`

/** Name of each entry of the package that has types → its source. */
const entries = new Map(
  Object.entries(JSON.parse(readFileSync(`${root}package.json`, 'utf8')).exports)
    .filter(([, { types }]) => types !== undefined)
    .map(([entry, { types }]) => [
      entry.replace('.', 'varve'),
      root + types.replace('./dist/', 'src/').replace('.d.ts', '.ts'),
    ]),
)

const OPTIONS = {
  name: 'varve',
  out,
  basePath: root,
  tsconfig: `${root}tsconfig.build.json`,
  entryPoints: [...entries.values()],
  readme: `${root}README.md`,
  customCss: `${root}tools/site/site.css`,
  projectDocuments: documents(root).map((path) => root + path),
  // What abstract-level and Node.js declare is described there.
  excludeExternals: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  disableSources: true,
  blockTags: [...OptionDefaults.blockTags, '@complexity'],
  sort: ['kind', 'instance-first', 'alphabetical-ignoring-documents'],
  groupOrder: GROUPS,
  navigation: { includeGroups: true, includeCategories: false, compactFolders: false },
  searchInComments: true,
  searchInDocuments: true,
  sluggerConfiguration: { lowercase: true },
  router: 'varve',
  highlightLanguages: [...OptionDefaults.highlightLanguages, 'cpp', 'go', 'rust', 'sh'],
  // Members say what they are by their names and units, or have a docstring; what they belong to always has one.
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Function', 'Variable', 'Method'],
  // They stand for types that are: a value or undefined, abstract-level's chained batch.
  intentionallyNotExported: ['Found', 'LevelChainedBatch'],
  validation: {
    invalidLink: true,
    invalidPath: true,
    notDocumented: true,
    notExported: true,
    rewrittenLink: true,
    unusedMergeModuleWith: true,
  },
}

/** A page of the repository keeps its path as its address; typedoc decides on the rest. */
class Router extends KindRouter {
  getIdealBaseName(reflection) {
    if (!reflection.kindOf(ReflectionKind.Document)) return super.getIdealBaseName(reflection)
    return reflection.frontmatter.path.replace(/\.md$/, '')
  }
}

/** Make the site. Returns what is wrong with it, each as a line. */
export async function makeSite() {
  const app = await Application.bootstrap(OPTIONS)
  app.renderer.defineRouter('varve', Router)
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => settle(root, document))
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    takeHeading(project)
    addLinkedPages(root, project)
    nameModules(project, entries)
    leaveOut(project)
    describe(project)
    linkPages(root, project)
  })
  const project = await app.convert()
  if (project === undefined) return ['the sources do not compile']
  app.validate(project)
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) return ['the site has warnings, which are errors']
  const { problems, pages } = checkSite(out)
  console.log(`site: ${pages} pages in ${relative(process.cwd(), out)}, ${problems.length} problems`)
  return problems
}
