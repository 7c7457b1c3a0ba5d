/**
 * main: runs one example of this folder, by name: `npm run example:memtable -- alone`, `shared` or `dumped`; without a name, all.
 */
const EXAMPLES = ['alone', 'shared', 'dumped']

const [name] = process.argv.slice(2)
if (name !== undefined && !EXAMPLES.includes(name)) {
  console.error(`no example ${name}: there are ${EXAMPLES.join(', ')}`)
  process.exit(2)
}
for (const example of name === undefined ? EXAMPLES : [name]) {
  console.log(`— ${example}`)
  await import(`./${example}.js`)
}
