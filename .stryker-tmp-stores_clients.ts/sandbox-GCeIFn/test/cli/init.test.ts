// @ts-nocheck
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { init } from '../../infra/cli/init.ts'

let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'tenure-init-'))
})
afterEach(() => rmSync(parent, { recursive: true }))

const filesIn = (directory: string) => readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'))
const project = json(import.meta.dirname, '../../package.json')

test('writes a function, its test, its stack and the files of the tools, named after its folder', () => {
  const job = join(parent, 'Nightly Job')
  const steps = init(job, { javascript: false })
  expect(filesIn(job)).toEqual([
    ...['.gitignore', 'README.md', 'cdk.json', 'functions', 'functions/write-report.ts', 'infra', 'infra/app.ts'],
    ...['package.json', 'test', 'test/write-report.test.ts', 'tsconfig.json'],
  ])
  expect(steps).toContain(`  cd '${job}'\n  npm install\n`)
  const { name, dependencies, devDependencies } = json(job, 'package.json')
  expect(name).toBe('nightly-job')
  // It asks for the versions with which this project is tested.
  const tested = { ...project.dependencies, ...project.devDependencies, tenure: project.version }
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect.soft(`${name} ${range}`).toBe(`${name} ^${tested[name]}`)
  }
})

test('in JavaScript no file, no import and no tool of TypeScript is left', () => {
  mkdirSync(join(parent, '.git')) // a folder that has only a new Git repository is as good as empty
  init(parent, { javascript: true })
  const files = filesIn(parent)
  expect(files).toContain('functions/write-report.js')
  const texts = files
    .filter((file) => /\.\w+$/.test(file) && file !== '.git')
    .map((file) => readFileSync(join(parent, file)))
  const found = [...files, ...texts.map(String)].filter((text) =>
    /\.ts\b|tsc|typescript|\btype |LeaderH|@types/.test(text),
  )
  expect(found).toEqual([])
})

test('refuses a folder that is not empty, and a file; it writes nothing', () => {
  const file = join(parent, 'notes.txt')
  writeFileSync(file, '')
  const message = `The folder ${parent} is not empty: it has notes.txt. Give a new or empty folder: tenure init job`
  expect(() => init(parent, { javascript: false })).toThrow(message)
  expect(() => init(file, { javascript: false })).toThrow(`${file} is a file, not a folder`)
  expect(filesIn(parent)).toEqual(['notes.txt'])
})
