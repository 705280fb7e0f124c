/** How the stores under test reach DynamoDB: by a client of the SDK, or as a store without a client does in Lambda. */
import { afterAll, onTestFinished, vi } from 'vitest'
import { DynamoDBLeaseStore } from '../../functions/election/index.ts'
import { stubAws } from '../support/fake-service.ts'

let isLean = false

/** For the tests of one file: the next one may share this module. */
export function beLean(): void {
  isLean = true
  afterAll(() => {
    isLean = false
  })
}

/** How often one request on the lease row is sent that gets no answer. */
export const tries = () => (isLean ? 4 : 3)

/** For clients in memory. */
export const transport = () => ({ isLean })

type Options = ConstructorParameters<typeof DynamoDBLeaseStore>[0]

/** Until the test ends, stores without a client reach DynamoDB at this endpoint. */
export function storeAt(endpoint: string, { client, ...options }: Options): DynamoDBLeaseStore {
  if (!isLean) return new DynamoDBLeaseStore({ ...options, ...(client && { client }) })
  stubAws('DYNAMODB', endpoint)
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'billing')
  vi.stubEnv('HOME', '') // settings in ~/.aws would need the SDK
  onTestFinished(() => void vi.unstubAllEnvs())
  return new DynamoDBLeaseStore(options)
}
