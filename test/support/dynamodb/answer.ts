/** What goes back on the wire. */
export interface Answer {
  readonly status: number
  readonly body: object
}

export function done(body: object): Answer {
  return { status: 200, body }
}

/** @param type as `ConditionalCheckFailedException`, or with its own namespace before a # */
export function refused(type: string, message: string, more: object = {}): Answer {
  const __type = type.includes('#') ? type : `com.amazonaws.dynamodb.v20120810#${type}`
  return { status: 400, body: { __type, message, ...more } }
}
