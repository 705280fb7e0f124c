/** The shell commands of the documents have the flags, scripts and settings that exist. */
// @ts-nocheck

import { globSync, readFileSync } from 'node:fs'
import * as dynamodb from '@aws-sdk/client-dynamodb'
import * as lambda from '@aws-sdk/client-lambda'
import * as scheduler from '@aws-sdk/client-scheduler'
import * as secretsmanager from '@aws-sdk/client-secrets-manager'
import * as sqs from '@aws-sdk/client-sqs'
import { expect, test } from 'vitest'

const CLIENTS: Readonly<Record<string, object>> = { dynamodb, lambda, scheduler, secretsmanager, sqs }
const OF_THE_CLI = ['cli-input-json', 'cli-binary-format', 'query']
// docs/proof.md is written by the proof.
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { exclude: ['docs/proof.md'] })]
const TEXT = DOCUMENTS.map((path) => readFileSync(path, 'utf8')).join('\n')
const found = (pattern: RegExp, text = TEXT) => [...text.matchAll(pattern)].map(([, first = '']) => first)

/** The members of an operation's input by the SDK's own schema, the required ones first. */
function inputOf(service: string, command: string) {
  const operation = command.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
  const schema: readonly unknown[] = Reflect.get(CLIENTS[service] ?? {}, `${operation}$`) ?? []
  const input = typeof schema[4] === 'function' ? Reflect.apply(schema[4], undefined, []) : schema[4]
  const [, , , , members = [], , required = 0]: [0, 0, 0, 0, string[]?, unknown?, number?] = input ?? []
  return { members, required: members.slice(0, required) }
}
const flagOf = (member: string) => member.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase()

const COMMANDS = [...TEXT.matchAll(/\baws (\w+) ([a-z-]+)((?:\\\n|[^`\n])*)/g)].map(
  ([, service = '', name = '', rest = '']) => [service, name, rest] as const,
)

test.each(COMMANDS)('aws %s %s%s', (service, name, rest) => {
  const { members, required } = inputOf(service, name)
  expect(members.length).toBeGreaterThan(0)
  const flags = found(/ --(?:no-)?([a-z-]+)/g, rest.replaceAll(/'[^']*'|"[^"]*"/g, ''))
  expect([...members.map(flagOf), ...OF_THE_CLI]).toEqual(expect.arrayContaining(flags))
  const isWhole = flags.length > 0 && !flags.includes('cli-input-json')
  if (isWhole) expect(flags).toEqual(expect.arrayContaining(required.map(flagOf)))
  // Version 2 of the CLI reads a payload as base64 otherwise, and wants a file for the answer.
  if (flags.includes('payload')) expect(rest).toMatch(/--cli-binary-format raw-in-base64-out[\s\S]* answer\.json$/)
  for (const json of found(/'(\{.*?\})'/g, rest)) expect(() => JSON.parse(json), json).not.toThrow()
})

test.each(found(/`aws (\w+ [a-z-]+) --cli-input-json`/g))('the input of `%s` is one of that operation', (command) => {
  const [service = '', name = ''] = command.split(' ')
  const [json = ''] = found(/```json \w+\n(.*?)^```/gms, TEXT.slice(TEXT.indexOf(`aws ${command} --cli-input-json`)))
  const { members, required } = inputOf(service, name)
  const given = Object.keys(JSON.parse(json))
  expect(members).toEqual(expect.arrayContaining(given))
  expect(given).toEqual(expect.arrayContaining(required))
})

test('scripts of npm, context values of the app and the version of the package exist', () => {
  const { scripts, version }: { scripts: object; version: string } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(found(/npm run ([\w:]+)/g)))
  const app = readFileSync('infra/app.ts', 'utf8')
  expect(found(/-c (\w+)=/g).filter((name) => !app.includes(`'${name}'`))).toEqual([])
  expect(new Set(found(/tenure-(\d[\d.]*)\.tgz/g))).toEqual(new Set([version]))
  expect(new Set(COMMANDS.map(([service]) => service))).toEqual(new Set(Object.keys(CLIENTS)))
})
