/** The documents are true of the code: links lead somewhere, examples compile, flags and checks exist. */
// @ts-nocheck

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseDevOptions, parseOptions } from '../infra/local/cli/options.ts'
import { CLAIMS } from './proof/claims.ts'
import { reference } from './reference.ts'
import { electedSchedule, HOURLY } from './support/cdk-app.ts'

const ROOT = join(import.meta.dirname, '..')
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })]
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** As GitHub makes them from headings. */
const anchorsOf = (path: string) =>
  [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  )

/** The code blocks of a language, by the word behind it. */
const blocksIn = (path: string, language: string) =>
  new Map(
    [...textOf(path).matchAll(/^```(\w+) (\S+)\n(.*?)^```/gms)].flatMap(([, tag, name = '', code = '']) =>
      tag === language ? [[name, code]] : [],
    ),
  )

test.each(DOCUMENTS)('every link in %s leads to a file of the project, and every anchor to a heading', (path) => {
  const links = [...textOf(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
  for (const [link, target = '', anchor] of links) {
    const file = target === '' ? path : join(dirname(path), target)
    expect(existsSync(resolve(ROOT, file)), link).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(file), link).toContain(anchor)
  }
})

test('every path of a file that the documents name exists, or is shown in an example', () => {
  const named = DOCUMENTS.flatMap((path) =>
    [...textOf(path).matchAll(/`((?:functions|infra|test|docs)\/[\w./-]+)`/g)].map(([, file = '']) => file),
  )
  const shown = DOCUMENTS.flatMap((path) => [...textOf(path).matchAll(/^```\w+ file=(\S+)/gm)].map(([, file]) => file))
  expect(named.filter((file) => !existsSync(join(ROOT, file)) && !shown.includes(file))).toEqual([])
})

test('the README has at most 200 lines', () => {
  expect(textOf('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(200)
})

test('the function, the stack and the test of the README are those of tenure init', () => {
  const blocks = blocksIn('README.md', 'ts')
  expect([...blocks.keys()]).toHaveLength(3)
  for (const [name, code] of blocks) expect(code).toBe(textOf(`infra/cli/template/${name.slice('file='.length)}`))
})

test('docs/reference.md is current; `npx vitest run test/docs.test.ts -u` writes it anew', async () => {
  await expect(reference()).toMatchFileSnapshot('../docs/reference.md')
})

describe('docs/without-cdk.md has what the constructs synthesize:', () => {
  const { template } = electedSchedule({ ...HOURLY, lease: 'reports' })
  const names: Record<string, string> = {
    ...{ AccountId: 'ACCOUNT', Partition: 'PARTITION', Region: 'REGION' },
    ...{ Leases: 'LEASE_TABLE', Function: 'FUNCTION' },
    ...{ ElectedFailures: 'QUEUE', ElectedSchedulerRole: 'SCHEDULER_ROLE' },
  }
  const nameOf = (id: string) => names[id.replace(/^AWS::|[0-9A-F]{8}$/g, '')] ?? id
  /** References become the names of the page. */
  const plain = (_key: string, value: unknown) => {
    const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': joined }: Record<string, unknown> = { ...Object(value) }
    if (Array.isArray(attribute)) return `${nameOf(attribute[0])}_ARN`
    if (Array.isArray(joined)) return joined[1].join('')
    return typeof Ref === 'string' ? nameOf(Ref) : value
  }
  const synthesized = (type: string) =>
    Object.values(template.findResources(type)).map(({ Properties }) => JSON.parse(JSON.stringify(Properties), plain))
  const documented = blocksIn('docs/without-cdk.md', 'json')
  const read = (name: string) => JSON.parse(documented.get(name) ?? '')

  test('the table', () => {
    const { TableName, DeletionProtectionEnabled, StreamSpecification, ...properties } = read('table')
    const { StreamViewType } = StreamSpecification
    expect(synthesized('AWS::DynamoDB::GlobalTable')[0]).toMatchObject({
      ...properties,
      StreamSpecification: { StreamViewType },
      Replicas: [{ DeletionProtectionEnabled, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
      TimeToLiveSpecification: { AttributeName: 'ttl' },
    })
    expect(TableName).toBe('LEASE_TABLE')
  })

  test("the function's variables, its role and its retries", () => {
    expect(synthesized('AWS::Lambda::Function')[0].Environment.Variables).toEqual(read('environment'))
    const { Statement } = synthesized('AWS::IAM::Policy')[0].PolicyDocument
    const byResource = (a: { Resource: string }, b: { Resource: string }) => a.Resource.localeCompare(b.Resource)
    expect(Statement.sort(byResource)).toEqual(read('role').sort(byResource))
    expect(synthesized('AWS::Lambda::EventInvokeConfig')[0]).toMatchObject({
      ...read('retries'),
      FunctionName: 'FUNCTION',
    })
  })

  test('the schedules and the role of Scheduler', () => {
    const [schedule, other] = synthesized('AWS::Scheduler::Schedule')
    const renamed = (of: { Name: string }) => JSON.parse(JSON.stringify(of).replaceAll(of.Name, 'reports-1'))
    expect(renamed(schedule)).toMatchObject(read('schedule'))
    expect(renamed(other)).toMatchObject(read('schedule'))
    const role = synthesized('AWS::IAM::Role').find((of) => of.Policies !== undefined)
    const { trust, policy } = read('scheduler')
    expect(role.AssumeRolePolicyDocument.Statement).toEqual([trust])
    expect(role.Policies[0].PolicyDocument.Statement).toEqual(policy)
  })
})

test.each([
  ['npm start --', parseOptions, 5],
  ['tenure dev', parseDevOptions, 2],
] as const)('every flag that the README gives %s is in its help', (command, parse, least) => {
  const help = String(parse(['--help']))
  const used = [...textOf('README.md').matchAll(new RegExp(`${command} (.*)`, 'g'))].flatMap(
    ([, line = '']) => line.match(/--[\w-]+/g) ?? [],
  )
  expect(used.length).toBeGreaterThan(least)
  for (const flag of used) expect(help).toContain(flag)
})

describe('the claims of docs/protocol.md', () => {
  const rows = new Map(
    [...textOf('docs/protocol.md').matchAll(/^\| ([LRS]\d) \| (.+?) \| .+? \| (.+?) \|$/gm)].map(
      ([, claim = '', words = '', checks = '']) => [claim, { words, checks }],
    ),
  )

  test('are those of the proof, word for word', () => {
    expect(Object.fromEntries([...rows].map(([claim, { words }]) => [claim, words]))).toEqual(CLAIMS)
  })

  test.each(Object.keys(CLAIMS))('%s names checks that exist and name the claim', (claim) => {
    const checks = [...(rows.get(claim)?.checks ?? '').matchAll(/`([^`]+)`/g)].map(
      ([, path = '']) => `test/proof/${path}`,
    )
    expect(checks.length).toBeGreaterThan(0)
    for (const check of checks) expect(textOf(check), check).toContain(`'${claim}'`)
  })
})
