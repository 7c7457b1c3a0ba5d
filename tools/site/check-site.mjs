/**
 * check-site: every link and every picture of the finished site leads to a file of it, and to a place in that file.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

const ATTRIBUTE = /\s(?:href|src)="([^"]*)"/g
const ID = /\s(?:id|name)="([^"]*)"/g

/** What is wrong with the site in `directory`, each as a line, and the number of its pages. */
export function checkSite(directory) {
  const files = new Set(readdirSync(directory, { recursive: true }).map((name) => name.replaceAll('\\', '/')))
  const texts = new Map()
  for (const name of files) {
    if (/\.(html|svg)$/.test(name)) texts.set(name, readFileSync(posix.join(directory, name), 'utf8'))
  }
  const places = new Map([...texts].map(([name, text]) => [name, new Set(valuesOf(text, ID))]))
  const problems = []
  for (const [name, text] of texts) {
    for (const link of new Set(valuesOf(text, ATTRIBUTE))) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue
      const [path, place] = link.split('#')
      const target = path === '' ? name : posix.join(posix.dirname(name), decodeURIComponent(path))
      const isPlace = place === undefined || place === '' || places.get(target)?.has(decodeURIComponent(place))
      if (!files.has(target)) problems.push(`${name}: ${link} leads nowhere`)
      else if (!isPlace) problems.push(`${name}: ${link} leads to no place in ${target}`)
    }
  }
  return { problems, pages: [...texts.keys()].filter((name) => name.endsWith('.html')).length }
}

function valuesOf(text, pattern) {
  return Array.from(text.matchAll(pattern), ([, value]) => value.replaceAll('&amp;', '&').replaceAll('&quot;', '"'))
}
