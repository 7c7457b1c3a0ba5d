/**
 * Made the files beside it, with varve as of commit 11450cc (2026-11-21), built as a package and installed in ROOT; kept as it was run.
 * The files are not made again: they stand for what earlier versions have left. Another format gets another folder.
 *
 *   node make.mjs ROOT OUT
 */
import fs from 'node:fs'
const [root, out] = process.argv.slice(2)
const { open, WriteBatch } = await import(`file://${root}/node_modules/varve/dist/public/index.js`)
const { MemTable } = await import(`file://${root}/node_modules/varve/dist/public/memtable.js`)
const live = out + '/live'
fs.mkdirSync(out, { recursive: true })
const db = await open(live, { writeBufferBytes: 8192, blockBytes: 512, maxFileBytes: 4096, levelBytes: 8192, level0CompactionTrigger: 4, maxImmutableMemTables: 8 })
const model = new Map()
const key = (i) => `key/${String(i * 7919 % 400).padStart(4, '0')}`
const value = (i) => `${i} `.repeat(1 + i % 9)
const remove = (start, end) => { for (const k of [...model.keys()]) if (k >= start && k < end) model.delete(k) }
for (let i = 0; i < 600; i++) {
  if (i % 9 === 5) { await db.delete(key(i)); model.delete(key(i)) } else { await db.put(key(i), value(i)); model.set(key(i), value(i)) }
  if (i % 150 === 149) { await db.deleteRange(key(i), key(i) + '~'); remove(key(i), key(i) + '~') }
}
await db.compactRange('key/0000', 'key/0150')
// What stays in the log: with range deletes, batches and markers.
for (let i = 600; i < 640; i++) {
  const durability = i % 8 === 0 ? 'disk' : 'os'
  await db.put(key(i), value(i), { durability }); model.set(key(i), value(i))
}
await db.deleteRange('key/0100', 'key/0120'); remove('key/0100', 'key/0120')
await db.write(new WriteBatch().put('key/0105', 'after').delete('key/0200').deleteRange('key/0300', 'key/0310').put('key/0305', 'within'))
model.set('key/0105', 'after'); model.delete('key/0200'); remove('key/0300', 'key/0310'); model.set('key/0305', 'within')
// As a killed process leaves it.
fs.cpSync(live, out + '/killed', { recursive: true }); fs.rmSync(out + '/killed/LOCK', { force: true })
const chunks = []; for await (const chunk of db.backup()) chunks.push(chunk)
fs.writeFileSync(out + '/backup', Buffer.concat(chunks))
console.log(JSON.stringify(db.stats().tables.reduce((a, t) => ({ ...a, [t.level]: (a[t.level] ?? 0) + 1 }), {})))
await db.close()
const table = MemTable.create({ capacityBytes: 1 << 20 })
const enc = (s) => new TextEncoder().encode(s)
for (let i = 0; i < 60; i++) i % 9 === 5 ? table.delete(enc(key(i))) : table.put(enc(key(i)), enc(value(i)))
fs.writeFileSync(out + '/memtable', table.encode())
fs.writeFileSync(out + '/content.json', JSON.stringify([...model].sort(([a], [b]) => (a < b ? -1 : 1))).replaceAll('],[', '],\n['))
fs.rmSync(live, { recursive: true })
