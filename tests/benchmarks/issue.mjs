// An email as one would make it from the same files by npm's markdown-it and mjml: each article's Markdown to HTML, the
// HTML in the mj-text of a shell that is as large as ours, the shell to HTML. No text part, no web pages, no checks.
// Arguments: the folder node_modules. Standard input: for each line {"folders": [...], "repeats": n, "out": folder or
// null}, answered on standard output by the milliseconds that it took.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'

const need = createRequire(`${process.argv[2]}/`)
const found = need('mjml')
const mjml2html = found.default ?? found
const markdownIt = need('markdown-it')
const markdown = (markdownIt.default ?? markdownIt)({ html: true, xhtmlOut: true })

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function read(file) {
  const [, front, body] = readFileSync(file, 'utf8').match(/^---\n(.*?)\n---\n(.*)$/s)
  const values = Object.fromEntries([...front.matchAll(/^(\w+): *"?(.*?)"?$/gm)].map(([, key, value]) => [key, value]))
  return { values, html: markdown.render(body) }
}

const section = (...elements) =>
  `<mj-section background-color="#ffffff" padding="24px 0"><mj-column>${elements.join('\n')}</mj-column></mj-section>`

const heading = (text) => `<mj-text font-size="24px" font-weight="700" line-height="1.25">${escaped(text)}</mj-text>`

const prose = (html) => `<mj-text><div class="prose">${html}</div></mj-text>`

function shell(issue, articles) {
  const [opening, closing] = issue.html.split('<!-- articles -->')
  return `<mjml lang="en"><mj-head>
<mj-title>${escaped(issue.values.title)}</mj-title>
<mj-attributes><mj-all font-family="Georgia, serif"/><mj-text font-size="17px" line-height="1.6" color="#1c1c1c"/></mj-attributes>
<mj-style>.prose a { color: #0b7a4b } .prose blockquote { border-left: 3px solid #0b7a4b; padding-left: 16px }</mj-style>
</mj-head><mj-body width="640px" background-color="#f4f1ea">
${section(heading(issue.values.title), prose(opening))}
${articles.map(({ values, html }) => section(heading(values.title), '<mj-divider border-width="1px"/>', prose(html))).join('\n')}
${section(prose(closing ?? ''), '<mj-button href="https://example.org/">Read on the web</mj-button>')}
${section('<mj-text font-size="13px">1 Example Street · <a href="https://example.org/u">Unsubscribe</a></mj-text>')}
</mj-body></mjml>`
}

async function email(folder) {
  const files = readdirSync(folder).filter((name) => /^\d.*\.md$/.test(name)).sort()
  const source = shell(read(join(folder, 'issue.md')), files.map((name) => read(join(folder, name))))
  const { html } = await mjml2html(source)
  if (!html.includes('<body')) throw new Error('no HTML')
  return html
}

for await (const line of createInterface({ input: process.stdin })) {
  const { folders, repeats, out } = JSON.parse(line)
  const before = performance.now()
  for (let n = 0; n < repeats; n++) {
    for (const folder of folders) {
      const html = await email(folder)
      if (out) writeFileSync(join(out, `${basename(folder)}.html`), html)
    }
  }
  console.log(performance.now() - before)
}
