/** `npm run check` of the package as users get it. `npm run api` writes docs/api.md instead of comparing it. */
// @ts-nocheck

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData, type Package, type Problem } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { apiReport } from './api-report.ts'

const ROOT = join(import.meta.dirname, '..')
const REPORT = 'docs/api.md'

/** The conditions of each entry; JSON files have none. */
const { exports: entries }: { exports: Record<string, { readonly types: string }> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
)
const typed = Object.entries(entries).filter(([, { types }]) => types !== undefined)

const directory = mkdtempSync(join(tmpdir(), 'tenure-package-'))
try {
  console.log('Packing the package …')
  execFileSync('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: ROOT, stdio: 'inherit' })
  const tarball = readFileSync(join(directory, readdirSync(directory)[0] ?? ''))
  const packed = createPackageFromTarballData(tarball)
  console.log('Checking its entries, types, links and declarations …')
  const problems = [
    ...(await publintProblems(tarball)),
    ...(await typeProblems(packed)),
    ...linkProblems(packed),
    ...reportProblems(process.argv.includes('--write')),
  ]
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(directory, { recursive: true })
}

async function publintProblems(tarball: Buffer): Promise<string[]> {
  const { messages, pkg } = await publint({ pack: { tarball: Uint8Array.from(tarball).buffer }, strict: true })
  return messages.map((message) => `publint: ${formatMessage(message, pkg)}`)
}

/** Whether TypeScript finds the types of each entry as Node finds its code. */
async function typeProblems(packed: Package): Promise<string[]> {
  const schemas = packed.listFiles(`/node_modules/${packed.packageName}/docs/events`)
  const events = schemas.filter((path) => path.endsWith('.json')).map((path) => path.replace(/^.*\/docs\//, './'))
  const analysis = await checkPackage(packed, { entrypoints: [...typed.map(([entry]) => entry), ...events] })
  if (!analysis.types) return ['arethetypeswrong: the package has no types']
  return analysis.problems
    .filter((problem) => !isMeant(problem))
    .map((problem) => `arethetypeswrong: ${JSON.stringify(problem)}`)
}

function isMeant(problem: Problem): boolean {
  // `require` of an ES module works in every Node that the package allows, from 22.12 on.
  if (problem.kind === 'CJSResolvesToESM') return true
  // The resolution of Node 10 knows no `exports`.
  return 'resolutionKind' in problem && problem.resolutionKind === 'node10'
}

/** Relative links in Markdown that lead to nothing in the package. */
function linkProblems(packed: Package): string[] {
  const root = `/node_modules/${packed.packageName}/`
  const files = packed.listFiles()
  return files
    .filter((file) => file.endsWith('.md') && !file.includes('/dist/'))
    .flatMap((file) =>
      [...packed.readFile(file).matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].flatMap(([, link = '']) => {
        const target = new URL(link, `file://${file}`).pathname.replace(/\/$/, '')
        const isPacked = files.some((other) => other === target || other.startsWith(`${target}/`))
        return isPacked ? [] : [`${file.slice(root.length)}: the package has no ${target.slice(root.length)}`]
      }),
    )
}

function reportProblems(isWritten: boolean): string[] {
  const declarations = typed.map(([entry, { types }]) => [entry.replace(/^\./, 'tenure'), join(ROOT, types)] as const)
  const report = apiReport(new Map(declarations), directory)
  if (isWritten) writeFileSync(join(ROOT, REPORT), report)
  const current = join(directory, 'api.md')
  writeFileSync(current, report)
  const { status, stdout } = spawnSync('git', ['diff', '--no-index', REPORT, current], { cwd: ROOT, encoding: 'utf8' })
  return status === 0 ? [] : [stdout, 'The public declarations changed. If this is intended, run: npm run api']
}
