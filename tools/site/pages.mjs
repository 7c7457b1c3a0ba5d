/**
 * pages: the Markdown of the repository (page-list.ts) as pages of the site. A page is named by its heading, stands in a group, and has
 * its path as its address. A file of code that a page links to becomes a page, too; a folder is its README.md.
 */
import { readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { DocumentReflection, ReflectionKind } from 'typedoc'
import { FILES, groupOf } from '../../.build/tools/site/page-list.js'

/** Extension → language, for the highlighting of code. */
const LANGUAGES = { cpp: 'cpp', hpp: 'cpp', go: 'go', mjs: 'js', rs: 'rust', ts: 'ts' }

/** Give a page that was read its name, its group and its address. */
export function settle(root, document) {
  const path = posix.relative(root, document.project.files.getReflectionPath(document))
  document.name = headingOf(document.content) ?? posix.basename(path, '.md')
  document.frontmatter = { path, group: groupOf(path) }
}

/** The first line of a page, if it is a heading. */
function headingOf(content) {
  const [line] = content
    .map(({ text }) => text)
    .join('')
    .split('\n', 1)
  return line.startsWith('# ') ? line.slice(2).replaceAll('`', '').trim() : undefined
}

/** Take the heading off the README, whose page has the name of the project above it. */
export function takeHeading({ readme }) {
  readme[0] = { ...readme[0], text: readme[0].text.replace(/^# .*\n+/, '') }
}

/** Make pages of what the pages so far link to, where that is code or a folder; pictures and data are copied as they are. */
export function addLinkedPages(root, project) {
  const paths = project.files.getMediaPaths().sort()
  for (const absolute of paths) {
    const path = posix.relative(root, absolute)
    const language = LANGUAGES[posix.extname(path).slice(1)]
    if (statSync(absolute).isDirectory()) addFolder(project, path, absolute)
    else if (language !== undefined) addCode(root, project, path, language)
    else if (path.endsWith('.md'))
      throw new Error(`${path} is linked to, but is no page: add it to tools/site/page-list.ts`)
  }
}

/** A folder is its README.md. */
function addFolder(project, path, absolute) {
  const index = documentsOf(project).find(({ frontmatter }) => frontmatter.path === `${path}/README.md`)
  if (index === undefined) throw new Error(`${path} is linked to, but has no README.md that is a page`)
  project.files.registerReflectionPath(absolute, index)
}

function addCode(root, project, path, language) {
  const absolute = posix.join(root, path)
  const code = readFileSync(absolute, 'utf8')
  const content = [
    { kind: 'text', text: `# ${path}\n\n` },
    { kind: 'code', text: `\`\`\`${language}\n${code}\n\`\`\`` },
  ]
  const page = new DocumentReflection(path, project, content, { path, group: FILES })
  project.addChild(page)
  project.registerReflection(page, undefined, undefined)
  project.files.registerReflectionPath(absolute, page)
}

function documentsOf(project) {
  return project.getReflectionsByKind(ReflectionKind.Document)
}
