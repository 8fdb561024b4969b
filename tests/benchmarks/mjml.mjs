// npm's mjml in a loop: for each line with a number n on standard input, the milliseconds of n runs on standard output.
// Arguments: the folder node_modules, an MJML file.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [folder, file] = process.argv.slice(2)
const found = createRequire(`${folder}/`)('mjml')
const mjml2html = found.default ?? found
const source = readFileSync(file, 'utf8')

for await (const line of createInterface({ input: process.stdin })) {
  const before = performance.now()
  for (let n = 0; n < Number(line); n++) {
    const { html } = await mjml2html(source)
    if (!html.includes('<body')) throw new Error('no HTML')
  }
  console.log(performance.now() - before)
}
