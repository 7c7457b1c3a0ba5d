/**
 * main: the shortener as a server, until SIGTERM or SIGINT: then it takes no more requests, answers those that it has, and closes
 * the database. After a kill -9 it has every link that it has answered for, too.
 *
 *   npm run example:url-shortener -- [DIRECTORY] [PORT]     default: links, 8080
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { open } from '../../src/public/index.ts'
import { handler } from './handler.ts'
import { Shortener } from './shortener.ts'

const [directory = 'links', port = '8080'] = process.argv.slice(2)
const db = await open(directory, { logger: console })
const server = createServer(handler(new Shortener(db)))

server.listen(Number(port), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    // Connections without a request are closed at once; the callback comes when the last answer has been sent.
    server.close(() => void db.close())
  })
}
