/** What the site is made of, and the check of the finished one: what leads nowhere is found, and nothing else. The site itself is made by `npm run site`. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { checkSite } from '../../tools/site/check-site.ts'
import { documents } from '../../tools/site/page-list.ts'
import { linksOf } from '../../tools/tidy/tree.ts'
import { repository } from '../support/paths.ts'

function check(files: Readonly<Record<string, string>>): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'varve-site-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true })
      writeFileSync(join(directory, name), text)
    }
    const { pages, problems } = checkSite(directory)
    assert.equal(pages, Object.keys(files).filter((name) => name.endsWith('.html')).length)
    return problems
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

it('links that lead to files and places of the site, or out of it, are no problem', () => {
  const problems = check({
    'index.html':
      '<h1 id="top">x</h1> <a href="#top"> <a href="#"> <a href="a/b.html#x%20y"> <a href="https://nodejs.org">',
    'a/b.html':
      '<p id="x y"> <a href="../index.html#top"> <img src="../media/one.svg"> <use href="../media/one.svg#part">',
    'media/one.svg': '<svg><g id="part"/></svg>',
  })
  assert.deepEqual(problems, [])
})

it('a missing file, picture or place is a problem', () => {
  const problems = check({
    'index.html': '<a href="a/gone.html"> <img src="media/gone.svg"> <a href="#gone"> <a href="a/b.html#gone">',
    'a/b.html': '<a href="index.html"> <a href="../#gone"> <a href="./">',
  })
  assert.deepEqual(problems, [
    'index.html: a/gone.html leads nowhere',
    'index.html: media/gone.svg leads nowhere',
    'index.html: #gone leads to no place in index.html',
    'index.html: a/b.html#gone leads to no place in a/b.html',
    'a/b.html: index.html leads nowhere',
    'a/b.html: ../#gone leads to no place in index.html',
    'a/b.html: ./ leads nowhere',
  ])
})

it('what a page links to, if it is Markdown, is a page', () => {
  const pages = ['README.md', ...documents(repository())]
  for (const page of pages) {
    for (const { line, path } of linksOf(page, readFileSync(repository(page), 'utf8'))) {
      if (path.endsWith('.md'))
        assert.ok(pages.includes(path), `${page}:${line}: ${path} is not in tools/site/page-list.ts`)
    }
  }
})
