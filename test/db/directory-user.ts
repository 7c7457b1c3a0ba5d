/**
 * A program that uses a database in all ways that make files, and says `done`.
 *
 *   directory-user DIRECTORY [UMASK]
 */
import { join } from 'node:path'
import { destroy, open, repair, restore, verify, WriteBatch } from '../../src/public/index.ts'

const [directory, umask] = process.argv.slice(2)
if (umask !== undefined && umask !== '') process.umask(Number.parseInt(umask, 8))
const data = join(directory, 'data')

async function fill(): Promise<void> {
  const db = await open(data, { writeBufferBytes: 16 * 1024, maxFileBytes: 4096 })
  for (let i = 0; i < 200; i++)
    db.putSync(`key/${i}`, String(i).padEnd(300, '.'), { durability: i % 50 === 0 ? 'disk' : 'os' })
  await db.write(new WriteBatch().put('a', '1').delete('key/7').deleteRange('key/8', 'key/9'))
  await db.flush()
  await db.compactRange()
  await db.put('key/7', 'again')
  await db.checkpoint(join(directory, 'copy'))
  await restore(db.backup(), join(directory, 'restored'))
  await db.close()
}

await fill()
const db = await open(data, { recovery: 'salvage' })
let count = 0
for await (const _ of db.scan({ reverse: true })) count++
if (count === 0 || (await db.get('key/7')) === undefined) throw new Error('something is missing')
await db.close()
await verify(data)
await repair(join(directory, 'restored'))
await destroy(join(directory, 'copy'))
console.log('done')
