/**
 * check-site: every link and every picture of the finished site leads to a file of it, and to a place in that file.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

const ATTRIBUTE = /\s(?:href|src)="([^"]*)"/g
const ID = /\s(?:id|name)="([^"]*)"/g

export interface SiteCheck {
  /** What is wrong, each as a line. */
  readonly problems: readonly string[]
  readonly pages: number
}

/** Check the site in `directory`. Links to other sites are not followed. */
export function checkSite(directory: string): SiteCheck {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
  const files = new Set(names)
  const texts = new Map<string, string>()
  for (const name of names) {
    if (/\.(html|svg)$/.test(name)) texts.set(name, readFileSync(join(directory, name), 'utf8'))
  }
  const places = new Map([...texts].map(([name, text]) => [name, new Set(valuesOf(text, ID))]))
  const problems: string[] = []
  for (const [name, text] of texts) {
    for (const link of new Set(valuesOf(text, ATTRIBUTE))) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue
      const [path, place] = link.split('#').map(decodeURIComponent)
      const target = path === '' ? name : indexed(posix.join(posix.dirname(name), path))
      if (!files.has(target)) problems.push(`${name}: ${link} leads nowhere`)
      else if (place && !places.get(target)?.has(place))
        problems.push(`${name}: ${link} leads to no place in ${target}`)
    }
  }
  return { problems, pages: names.filter((name) => name.endsWith('.html')).length }
}

/** What a server answers with where a folder is asked for. */
function indexed(path: string): string {
  return path.endsWith('/') ? posix.join(path, 'index.html') : path
}

function valuesOf(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, value]) => value.replaceAll('&amp;', '&').replaceAll('&quot;', '"'))
}
