/**
 * The HTTP of the shortener.
 *
 *   POST /              the URL as the body → 201 { code, url }
 *   GET  /<code>        → 302 to the URL
 *   GET  /<code>/stats  → 200 { code, url, createdAt, hits }
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Shortener } from './shortener.ts'

const BODY_BYTES_MAX = 8 * 1024

/** An answer that is no success. */
class HttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export function handler(shortener: Shortener): RequestListener {
  return (request, response) => {
    answer(shortener, request, response).catch((error: unknown) => {
      const { status, message } = error instanceof HttpError ? error : new HttpError(500, 'internal error')
      if (status === 500) console.error(error)
      send(response, status, { error: message })
    })
  }
}

async function answer(shortener: Shortener, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  const [, code, rest] = /^\/([\w-]*)(\/stats)?$/.exec(pathname) ?? []
  if (request.method === 'POST' && pathname === '/') {
    const url = checkedUrl(await bodyOf(request))
    send(response, 201, { code: await shortener.create(url), url })
  } else if (request.method === 'GET' && code && rest === undefined) {
    const { url, counted } = found(shortener.follow(code))
    // The redirect does not wait for the count, and does not fail if it does.
    counted.catch((error: unknown) => console.error(error))
    response.writeHead(302, { location: url, 'cache-control': 'no-store' }).end()
  } else if (request.method === 'GET' && code) {
    send(response, 200, found(shortener.stats(code)))
  } else {
    throw new HttpError(404, 'not found')
  }
}

function found<T>(what: T | undefined): T {
  if (what === undefined) throw new HttpError(404, 'not found')
  return what
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk)
  }
  // Only now: to leave the loop would close the connection, before the answer.
  if (bytes > BODY_BYTES_MAX) throw new HttpError(413, `more than ${BODY_BYTES_MAX} bytes`)
  return Buffer.concat(chunks).toString('utf8').trim()
}

/** Web addresses only: a redirect to anything else is an invitation to misuse. */
function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new HttpError(400, 'the body must be an http(s) URL')
  return url.href
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
