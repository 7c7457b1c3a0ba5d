/**
 * make-pictures: draws the pictures of docs/pictures/ from real MemTables. Run it when test/tools/pictures.test.ts says that
 * one of them has changed: `npm run pictures`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PICTURES } from './pictures/pictures.ts'

const DIRECTORY = fileURLToPath(new URL('../../docs/pictures', import.meta.url))

mkdirSync(DIRECTORY, { recursive: true })
for (const [name, draw] of Object.entries(PICTURES)) writeFileSync(join(DIRECTORY, name), draw())
