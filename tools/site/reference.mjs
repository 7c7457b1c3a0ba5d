/**
 * reference: what the docstrings do not say by themselves. A class that has none is described by the header of its file,
 * which is its design document, where that begins with its name. Members that a protocol of JavaScript or abstract-level
 * asks for are described by that.
 */
import { readFileSync } from 'node:fs'
import { Comment, ReflectionKind } from 'typedoc'

/** Members of a protocol → what calls them. */
const PROTOCOLS = {
  '[asyncDispose]': 'What `await using` calls at the end of the block: it closes.',
  '[asyncIterator]': 'What `for await … of` calls.',
  '[dispose]': 'What `using` calls at the end of the block: it closes.',
  '[iterator]': 'What `for … of` calls.',
  next: 'The next element, as iterators give it.',
  return: 'What a loop calls that is left early: it closes.',
}
const LEVEL = 'varve/level'
const AS_ABSTRACT_LEVEL = 'As in [abstract-level](https://github.com/Level/abstract-level).'
const TYPES = ReflectionKind.Class | ReflectionKind.Interface

/** Name modules as they are imported. @param entries name → source */
export function nameModules(project, entries) {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    const { fileName } = project.getSymbolIdFromReflection(module) ?? {}
    for (const [name, source] of entries) if (source === fileName) module.name = name
  }
}

/** Leave out what only abstract-level calls. */
export function leaveOut(project) {
  for (const method of project.getReflectionsByKind(ReflectionKind.Method)) {
    if (method.name.startsWith('_')) project.removeReflection(method)
  }
}

/** Describe what has no docstring of its own, as far as there is something to say. */
export function describe(project) {
  for (const reflection of Object.values(project.reflections)) {
    if (reflection.hasComment()) continue
    const text = descriptionOf(reflection)
    if (text !== undefined) reflection.comment = new Comment([{ kind: 'text', text }])
  }
}

/** Make links of the paths of pages that docstrings name. */
export function linkPages(root, project) {
  for (const { comment } of Object.values(project.reflections)) {
    if (comment === undefined) continue
    for (const content of [comment.summary, ...comment.blockTags.map((tag) => tag.content)]) {
      content.splice(0, content.length, ...content.flatMap((part) => linked(part, root, project.files)))
    }
  }
}

function linked(part, root, files) {
  if (part.kind !== 'text') return [part]
  return part.text.split(/(\bdocs\/[\w/-]+\.md\b)/).flatMap((text, i) => {
    if (i % 2 === 0) return [{ kind: 'text', text }]
    const link = { kind: 'relative-link', text, ...files.registerAbsolute(`${root}${text}`) }
    return [{ kind: 'text', text: `[${text}](` }, link, { kind: 'text', text: ')' }]
  })
}

function descriptionOf(reflection) {
  if (reflection.kindOf(TYPES)) return headerOf(reflection) ?? levelText(reflection)
  if (reflection.kindOf(ReflectionKind.TypeAlias)) return levelText(reflection)
  if (reflection.kindOf(ReflectionKind.CallSignature)) return PROTOCOLS[reflection.name] ?? levelText(reflection)
  return undefined
}

function levelText(reflection) {
  for (let at = reflection; at !== undefined; at = at.parent) if (at.name === LEVEL) return AS_ABSTRACT_LEVEL
  return undefined
}

/** The first paragraph of the header of a class's file, if it begins with the name of the class. */
function headerOf(reflection) {
  const { fileName } = reflection.project.getSymbolIdFromReflection(reflection) ?? {}
  if (fileName === undefined) return undefined
  const [, header] = /^\/\*\*\n([\s\S]*?)\n(?: \*\n| \*\/)/.exec(readFileSync(fileName, 'utf8')) ?? []
  const text = header?.replace(/^ \* ?/gm, '').replace(/\s+/g, ' ')
  const name = `${reflection.name}: `
  const start = text?.indexOf(name) ?? -1
  if (start !== 0 && !text?.startsWith(`${LEVEL}: ${reflection.name}, `)) return undefined
  const description = text.slice(start === 0 ? name.length : `${LEVEL}: ${reflection.name}, `.length)
  return description[0].toUpperCase() + description.slice(1)
}
