/**
 * site: makes dist-site/, the documentation as a static site with search: the guides and the other pages of the
 * repository, and a reference made from the docstrings. A warning is an error, and so is a link that leads nowhere.
 *
 * The generator, typedoc, needs a compiler that is older than the project's own. So it is installed on demand, below
 * tools/site/, from a lockfile of its own and without install scripts.
 */
import { fileURLToPath } from 'node:url'
import { install } from './install.mjs'

install(fileURLToPath(new URL('site', import.meta.url)))
const { makeSite } = await import('./site/make-site.mjs')
const problems = await makeSite()
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
