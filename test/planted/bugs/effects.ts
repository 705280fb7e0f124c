// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code that is looked for is quoted as it is
/** Bugs of what protects other rows and third parties. */
import type { Bug } from '../bug.ts'

const EXPRESSIONS = 'functions/election/stores/expressions.ts'
const FENCING = 'functions/election/fencing.ts'

export const effectBugs: readonly Bug[] = [
  {
    name: 'no condition in the fence',
    why: 'the write of a replaced leader lands on top of its successor’s',
    claims: ['S3'],
    edits: [
      {
        file: FENCING,
        find: 'OR ${NAME} <= ${VALUE})`',
        replace: 'OR ${NAME} <= ${VALUE} OR ${NAME} > ${VALUE})`',
      },
    ],
  },
  {
    name: 'the fence does not remember the token',
    why: 'the first write of a successor leaves nothing that an older one could be compared with',
    claims: ['S3'],
    edits: [
      {
        file: FENCING,
        find: 'if (!clause.test(updateExpression)) return `${updateExpression} SET ${assignment}`.trim()',
        replace:
          'if (!clause.test(updateExpression)) return `${updateExpression} SET ${assignment}`.trim()\n  return updateExpression',
      },
    ],
  },
  {
    name: 'no condition in the guard',
    why: 'a replaced leader writes whole transactions',
    claims: ['S3'],
    edits: [
      {
        file: EXPRESSIONS,
        find: 'return { ConditionExpression: H1_STILL_MINE, ExpressionAttributeValues',
        replace:
          'return { ConditionExpression: `(${H1_STILL_MINE}) OR attribute_exists(attempt)`, ExpressionAttributeValues',
      },
    ],
  },
  {
    name: 'effects behind the completion, in a transaction of their own',
    why: 'a leader that dies between the two has completed a tick whose effects never happen',
    claims: ['S5'],
    edits: [
      {
        file: 'functions/election/stores/dynamodb.ts',
        find: `    return await this.#transact(request.lease, [
      { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) },
      ...items,
    ])`,
        replace: `    const reply = await this.write(request)
    if (reply.granted) await this.#client.send(new TransactWriteCommand({ TransactItems: [...items] }))
    return reply`,
      },
    ],
  },
  {
    name: 'the token in the key of idempotency',
    why: 'every leader asks the gateway under a key of its own, and the subscriber pays twice',
    claims: [],
    edits: [
      {
        file: 'functions/billing/ledger.ts',
        find: "lease.idempotencyKey('charge', customer,",
        replace: "lease.idempotencyKey('charge', lease.fencingToken, customer,",
      },
      {
        file: 'functions/billing/ledger.ts',
        find: 'return readCharge(row ?? {}, order, lease.fencingToken)',
        replace: 'return readCharge({ ...row, key }, order, lease.fencingToken)',
      },
    ],
  },
]
