/**
 * page-main: what a web page, or a worker of one, runs: uses a database in memory and tells the server how that went. The
 * server's answer is the next page to go to, or empty.
 */
import { use } from './memory-app.mjs'

let outcome
try {
  outcome = await use(false)
} catch (error) {
  outcome = { error: String(error?.stack ?? error) }
}
const body = JSON.stringify({ path: location.pathname, isPage: typeof document === 'object', ...outcome })
const answer = await fetch('/outcome', { method: 'POST', body })
const next = await answer.text()
if (next !== '' && typeof document === 'object') location.href = next
