// @ts-nocheck
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { javaMajor, startDynamoDBLocal } from '../../infra/programs/dynamodb-local.ts'
import { addressesOpenAt, post, signedWith } from '../local/fixtures/reach.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

test('is reachable from this machine alone, under its own name alone', async () => {
  const endpoint = inject('dynamodbEndpoint')
  const port = Number(new URL(endpoint).port)
  expect(await addressesOpenAt(port)).toEqual(['127.0.0.1'])
  const asked = { ...signedWith('local'), 'x-amz-target': 'DynamoDB_20120810.ListTables' }
  expect(await post(endpoint, asked, '{}')).toMatchObject({ status: 200 })
  expect(await post(endpoint, { ...asked, host: `localhost:${port}` }, '{}')).toMatchObject({ status: 200 })
  expect(await post(endpoint, { ...asked, host: `evil.example:${port}` }, '{}')).toMatchObject({ status: 404 })
  // No page in a browser may read its answers.
  const { headers } = await post(endpoint, { origin: 'http://evil.example' }, '{}')
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
})

test('shows the tables of one access key to no other key', async () => {
  const { endpoint, stop } = await startDynamoDBLocal()
  onTestFinished(stop)
  const client = localClient(endpoint)
  const table = await createLeaseTable(client)
  const tablesSeenBy = async (accessKeyId: string) => {
    client.config.credentials = async () => ({ accessKeyId, secretAccessKey: 'local' })
    return (await client.send(new ListTablesCommand({}))).TableNames
  }
  expect(await tablesSeenBy('local')).toEqual([table])
  expect(await tablesSeenBy('other')).toEqual([])
})

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_402"', 8],
  ['openjdk version "25-ea" 2025-09-16', 25],
  ['no such thing', Number.NaN],
])('reads the version of Java from %j', (output, major) => {
  expect(javaMajor(output)).toBe(major)
})

/** A directory for the PATH with these programs, each a shell script. */
function pathWith(programs: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-path-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  return directory
}

const oldJava = `echo 'java version "11.0.2"' >&2`

describe('DynamoDB Local comes', () => {
  test('from DYNAMODB_ENDPOINT first, and keeps running afterwards', async () => {
    const endpoint = inject('dynamodbEndpoint')
    const local = await startDynamoDBLocal({ env: { ...process.env, DYNAMODB_ENDPOINT: endpoint } })
    expect(local).toMatchObject({ endpoint, isForeign: true })
    await local.stop()
    await localClient(endpoint).send(new ListTablesCommand({}))
  })

  test('not from elsewhere if none answers at DYNAMODB_ENDPOINT', async () => {
    const env = { ...process.env, DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' }
    await expect(startDynamoDBLocal({ env })).rejects.toThrow(
      'DYNAMODB_ENDPOINT is http://127.0.0.1:9, but no DynamoDB answers there.',
    )
  })

  test('from the Java of JAVA_HOME next; the error of a Java that dies has its output', async () => {
    const home = pathWith({})
    const java = `[ "$1" = -version ] && { echo 'version "21.0.1"' >&2; exit 0; }; echo "no memory" >&2; exit 1`
    mkdirSync(join(home, 'bin'))
    writeFileSync(join(home, 'bin', 'java'), `#!/bin/sh\n${java}\n`, { mode: 0o755 })
    const starting = startDynamoDBLocal({ env: { PATH: pathWith({ java: oldJava }), JAVA_HOME: home } })
    await expect(starting).rejects.toThrow('ended with exit code 1. Its output: no memory')
  })

  test('from Docker when Java is too old; the error has the output of Docker', async () => {
    const PATH = pathWith({ java: oldJava, docker: '[ "$1" = version ] || { echo "no such image" >&2; exit 125; }' })
    await expect(startDynamoDBLocal({ env: { PATH } })).rejects.toThrow(
      'DynamoDB Local could not start: ended with exit code 125. Its output: no such image',
    )
  })

  test('from nowhere else: the error says what to install', async () => {
    await expect(startDynamoDBLocal({ env: { PATH: pathWith({ docker: 'exit 1' }) } })).rejects.toThrow(
      /not available.*\n- Install Java 17 .*\n- Start Docker.*\n- Set DYNAMODB_ENDPOINT/,
    )
  })
})
