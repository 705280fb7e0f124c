/** As ../failover-server.ts, by other libraries and services. JavaScript, as handlers/peers. */
// @ts-nocheck

import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb'
import deliveryHero from '@deliveryhero/dynamodb-lock'
import DynamoDBv2 from 'aws-sdk/clients/dynamodb.js'
import lockClient from 'dynamodb-lock-client'
import { Etcd3 } from 'etcd3'
import zookeeper from 'node-zookeeper-client'

const { SYSTEM, NAME, LEASE_NAME, ENDPOINT, AWS_ENDPOINT_URL_DYNAMODB } = process.env
const leaseMs = Number(process.env.LEASE_MS)
/** Between a resignation and the next candidacy. */
const PAUSE_MS = 5_000
let resign = async () => {}
const leads = (how) => {
  resign = how
  process.send({ leadsAtMs: Date.now() })
}

const systems = {
  'dynamodb-lock-client'() {
    const dynamodb = new DynamoDBv2.DocumentClient({ endpoint: AWS_ENDPOINT_URL_DYNAMODB })
    const times = { leaseDurationMs: leaseMs, heartbeatPeriodMs: leaseMs / 3, trustLocalTime: true }
    const keys = { lockTable: 'lockClient', partitionKey: 'id' }
    new lockClient.FailOpen({ dynamodb, ...keys, ...times, retryCount: 1_000 }).acquireLock(
      LEASE_NAME,
      (error, lock) => {
        if (error) throw error
        leads(() => new Promise((resolve) => lock.release(resolve)))
      },
    )
  },
  async '@deliveryhero/dynamodb-lock'() {
    const client = deliveryHero.dynamoDBLockClientFactory(DynamoDBDocument.from(new DynamoDB({})))
    const times = { leaseDurationInMs: leaseMs, prolongEveryMs: leaseMs / 3 }
    const waits = { trustLocalTime: true, waitDurationInMs: 250 }
    const lock = await client.lock('bench', LEASE_NAME, { ...times, ...waits })
    leads(() => client.releaseLock(lock))
  },
  etcd() {
    const campaign = new Etcd3({ hosts: ENDPOINT }).election(LEASE_NAME, leaseMs / 1_000).campaign(NAME)
    campaign.on('elected', () => leads(() => campaign.resign()))
    campaign.on('error', (error) => console.error(error))
  },
  zookeeper() {
    const client = zookeeper.createClient(ENDPOINT, { sessionTimeout: leaseMs })
    const root = `/${LEASE_NAME.replaceAll('/', '-')}`
    const { EPHEMERAL_SEQUENTIAL } = zookeeper.CreateMode
    /** Each watches the one before it. */
    const look = (path) =>
      client.getChildren(root, (_, children) => {
        const place = children.sort().indexOf(path.slice(root.length + 1))
        if (place === 0) return leads(() => new Promise((resolve) => client.remove(path, resolve)))
        const watch = () => look(path)
        client.exists(`${root}/${children[place - 1]}`, watch, (_error, found) => found || look(path))
      })
    client.once('connected', () => {
      client.mkdirp(root, () =>
        client.create(`${root}/c-`, Buffer.alloc(0), EPHEMERAL_SEQUENTIAL, (_, path) => look(path)),
      )
    })
    client.connect()
  },
}

process.on('disconnect', () => process.exit())
process.on('message', async () => {
  await resign()
  setTimeout(() => process.exit(), PAUSE_MS)
})
systems[SYSTEM]()
