/** A response on the wire. */
// @ts-nocheck

export interface Answer {
  readonly status: number
  readonly body: object
}

export function done(body: object): Answer {
  return { status: 200, body }
}

/** @param type like `ConditionalCheckFailedException`, or with a namespace of its own before a # */
export function refused(type: string, message: string, more: object = {}): Answer {
  const __type = type.includes('#') ? type : `com.amazonaws.dynamodb.v20120810#${type}`
  return { status: 400, body: { __type, message, ...more } }
}

/** Why a request is refused. Thrown while it is checked or applied; the database makes an answer of it. */
export class Refusal extends Error {
  readonly type: string

  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

/** DynamoDB's answer to a request that is wrong whatever the rows are. */
export function invalid(message: string): Refusal {
  return new Refusal('com.amazon.coral.validate#ValidationException', message)
}

export function unsupported(what: string): Refusal {
  return invalid(`The simulated DynamoDB does not support ${what}`)
}
