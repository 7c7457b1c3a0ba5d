/**
 * What stands in the place of node-env.ts in a web page: bundlers put it there, by the field `browser` of package.json, so that
 * nothing in a page's bundle needs a module of Node's. A page has no files; its databases live in memory (web-env.ts).
 */
import type { Environment } from '../base/environment.ts'
import { NotSupportedError } from '../base/errors.ts'

/** @throws NotSupportedError */
export function nodeEnvironment(): Environment {
  throw new NotSupportedError('there are no files here: pass the option environment, such as memoryEnvironment()')
}
