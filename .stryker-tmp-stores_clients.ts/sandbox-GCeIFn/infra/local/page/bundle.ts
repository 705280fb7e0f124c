/** The page as one HTML file with its style and script inside; its policy lets it load nothing else. */
// @ts-nocheck

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DARK, LIGHT, type Palette, propertyOf } from '../../../functions/widget/palette.ts'

const SOURCE = join(import.meta.dirname, 'client')
/** The package has the page already bundled, and not its source. */
const BUNDLED = join(import.meta.dirname, 'page.json')

/** The widget's colours, as the custom properties of the picture. */
const COLOURS = `:root{${declarationsOf(LIGHT)}}@media (prefers-color-scheme:dark){:root{${declarationsOf(DARK)}}}`

function declarationsOf(palette: Palette): string {
  const declarations = Object.entries(palette).map(([role, colour]) => `${propertyOf(role)}:${colour}`)
  return declarations.join(';')
}

export async function bundlePage(): Promise<{ readonly html: string; readonly headers: Record<string, string> }> {
  if (existsSync(BUNDLED)) return JSON.parse(await readFile(BUNDLED, 'utf8'))
  const [template, ownStyle, script] = await Promise.all([
    readFile(join(SOURCE, 'index.html'), 'utf8'),
    bundle('style.css'),
    bundle('main.ts'),
  ])
  const style = COLOURS + ownStyle
  const html = template.replace('/*style*/', () => style).replace('/*script*/', () => script)
  // The shapes of the picture have styles of their own.
  const styles = `style-src '${digest(style)}'; style-src-attr 'unsafe-inline'`
  const loaded = `default-src 'none'; script-src '${digest(script)}'; ${styles}; img-src data:; connect-src 'self'`
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `${loaded}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
  }
  return { html, headers }
}

async function bundle(file: string): Promise<string> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [join(SOURCE, file)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
    write: false,
  })
  // No `</script>` or `</style>` inside may end the element.
  return (outputFiles[0]?.text.trim() ?? '').replaceAll('</', '<\\/')
}

const digest = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`
