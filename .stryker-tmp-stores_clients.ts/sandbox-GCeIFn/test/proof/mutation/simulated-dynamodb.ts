/** DynamoDB in memory: Stryker starts a new worker after each mutant that hangs. */
// @ts-nocheck

import type { TestProject } from 'vitest/node'
import { SimulatedDynamoDB } from '../../../functions/election/testing/dynamodb/database.ts'
import { serve } from '../../support/dynamodb/wire.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const database = new SimulatedDynamoDB()
  const server = await serve(async (operation, body) => database.execute(operation, body))
  project.provide('dynamodbEndpoint', server.endpoint)
  return async () => await server[Symbol.asyncDispose]()
}
