/** DynamoDB in memory: Stryker starts a new worker after each mutant that hangs. */
import type { TestProject } from 'vitest/node'
import { SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import { schemaOf } from '../../support/dynamodb/differential/create-table.ts'
import { serve } from '../../support/dynamodb/differential/wire.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const database = new SimulatedDynamoDB()
  const server = await serve(async (operation, body) => {
    if (operation !== 'CreateTable') return database.execute(operation, body)
    database.createTable(schemaOf(body))
    return { status: 200, body: {} }
  })
  project.provide('dynamodbEndpoint', server.endpoint)
  return async () => await server[Symbol.asyncDispose]()
}
