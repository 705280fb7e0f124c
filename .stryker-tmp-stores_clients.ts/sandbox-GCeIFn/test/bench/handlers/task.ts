// @ts-nocheck
import { S3Client } from '@aws-sdk/client-s3'
import type { BenchEvent } from './event.ts'

/** As heavy as a task with another client of the SDK. */
const client = new S3Client()

export async function run({ task }: BenchEvent): Promise<void> {
  if (client.config.serviceId !== 'S3') throw new Error('The client is another one')
  await task?.()
}
