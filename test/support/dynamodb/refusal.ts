/** Why a request is refused. Thrown while a request is checked or applied; the database turns it into the answer. */
export class Refusal extends Error {
  readonly type: string

  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

/** As the real service answers a request that no row could make right. */
export function invalid(message: string): Refusal {
  return new Refusal('com.amazon.coral.validate#ValidationException', message)
}

export function invalidParameter(message: string): Refusal {
  return invalid(`One or more parameter values were invalid: ${message}`)
}

export function tableNotFound(): Refusal {
  return new Refusal('ResourceNotFoundException', 'Cannot do operations on a non-existent table')
}
