/** Starts DynamoDB Local once for the whole run of the tests; they get its address by `inject('dynamodbEndpoint')`. */
// @ts-nocheck

import type { TestProject } from 'vitest/node'
import { startDynamoDBLocal } from '../../infra/programs/dynamodb-local.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    dynamodbEndpoint: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const local = await startDynamoDBLocal({ sharedDb: true })
  project.provide('dynamodbEndpoint', local.endpoint)
  return () => local.stop()
}
