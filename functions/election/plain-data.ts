/** The states of checkpoints: checked, copied and measured. */
import { builtin } from './builtin.ts'
import { InvalidOptionError } from './errors.ts'
import { quoted } from './show.ts'
import { classNameOf, isPlainObject } from './values.ts'

/**
 * The largest state of a checkpoint, measured as DynamoDB measures an item of at most 400 KB. The rest leaves room for
 * the next candidate's name and an operator's pause.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export const LARGEST_STATE_BYTES = 350 * 1024

/** Measuring stops here: a small state that repeats its parts can be endless when it is written out. */
const HOPELESS_BYTES = 1024 * 1024

/** Of a state in S3, measured in the same way: so much fits in a text of JSON and in the memory of most functions. */
const LARGEST_JSON_BYTES = 100 * 1024 * 1024

/** What a value may hold, and how large it may be. */
interface Form {
  /** As in code. */
  readonly name: string
  readonly isJson: boolean
  readonly measuredBytes: number
  readonly types: string
  readonly limit: string
}

const PLAIN_TYPES =
  'plain data: texts, numbers, true, false, null, arrays and plain objects, Uint8Arrays, ' +
  'and Sets of texts or of numbers.'

const IN_ROW: Form = {
  name: 'checkpoint.state',
  isJson: false,
  measuredBytes: HOPELESS_BYTES,
  types: `A checkpoint is ${PLAIN_TYPES}`,
  limit:
    `${LARGEST_STATE_BYTES} (350 KB) fit beside the rest of the row. ` +
    'Save less: a position to go on from; or save it in S3, with s3Checkpoints of tenure/s3.',
}

/** Every look of a candidate reads what the leader proclaimed. */
const ANNOUNCED: Form = {
  name: 'announcement',
  isJson: false,
  measuredBytes: 4 * 1024,
  types: `What a leader proclaims is ${PLAIN_TYPES}`,
  limit: '4096 (4 KB) are allowed: proclaim an address, not the data.',
}

const AS_JSON: Form = {
  name: 'checkpoint.state',
  isJson: true,
  measuredBytes: LARGEST_JSON_BYTES,
  types: 'A checkpoint in S3 is JSON: texts, numbers, true, false, null, arrays and plain objects.',
  limit: `${LARGEST_JSON_BYTES} (100 MB) are saved in S3.`,
}

/**
 * DynamoDB nests attributes 32 levels deep: the checkpoint, this many maps and lists in its state, and a value.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html
 */
const MOST_LEVELS = 30

/** The same page's limit for the name of an attribute. */
const LONGEST_KEY_BYTES = 65_535

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
const SMALLEST_NUMBER = 1e-130

/** The SDK's marshaller takes an object with the first key for an instance of a class, and drops the second. */
const MISREAD_KEYS = ['constructor', '__proto__']

const MORE_THAN_ELEMENTS = 'has properties besides its elements'

/** Values that every store returns as they were saved. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | ReadonlySet<string>
  | ReadonlySet<number>
  | readonly PlainData[]
  | { readonly [key: string]: PlainData }

/**
 * A checked copy of a checkpoint's state. -0 becomes 0, and objects without a prototype, or of another realm, become
 * ordinary ones.
 * @throws InvalidOptionError if the state is not plain data, or too large; it names the value's path, never its content
 */
export function plainState(state: unknown, lease: string): PlainData {
  const reader = new StateReader(lease, IN_ROW)
  const copy = reader.copy(state)
  if (reader.bytes > LARGEST_STATE_BYTES) throw reader.tooLarge(`is ${reader.bytes} bytes large`)
  return copy
}

/** The same for a state that is saved as JSON, which has neither bytes nor Sets. */
export function jsonState(state: unknown, lease: string): PlainData {
  return new StateReader(lease, AS_JSON).copy(state)
}

/** The same for what a leader proclaims. */
export function announcementOf(value: unknown, lease: string): PlainData {
  return new StateReader(lease, ANNOUNCED).copy(value)
}

/** Checks, copies and measures in one pass. */
class StateReader {
  bytes = 0
  readonly #lease: string
  readonly #form: Form
  /** From the state to the value being read. */
  readonly #path: (string | number)[] = []

  constructor(lease: string, form: Form) {
    this.#lease = lease
    this.#form = form
  }

  copy(state: unknown): PlainData {
    try {
      return this.read(state)
    } catch (error) {
      if (error instanceof InvalidOptionError) throw error
      throw this.refused('cannot be read: its getter or proxy threw an error', error)
    }
  }

  read(value: unknown): PlainData {
    if (value === null || typeof value === 'boolean') {
      this.#add(1)
      return value
    }
    if (typeof value === 'string') return this.#text(value)
    if (typeof value === 'number') return this.#number(value)
    if (typeof value === 'object') return this.#object(value)
    if (value === undefined) throw this.refused('is undefined: leave it out, or use null')
    throw this.refused(`is a ${typeof value}`)
  }

  refused(why: string, cause?: unknown): InvalidOptionError {
    return new InvalidOptionError(
      `${pathText(this.#path, this.#form.name)} of lease "${this.#lease}" ${why}. ${this.#form.types}`,
      {
        lease: this.#lease,
        cause,
      },
    )
  }

  tooLarge(size: string): InvalidOptionError {
    return new InvalidOptionError(
      `The ${this.#form.name.split('.')[0]} of lease "${this.#lease}" ${size}; at most ${this.#form.limit}`,
      {
        lease: this.#lease,
      },
    )
  }

  #add(bytes: number): void {
    this.bytes += bytes
    if (this.bytes > this.#form.measuredBytes) {
      throw this.tooLarge(`is larger than ${this.#form.measuredBytes} bytes`)
    }
  }

  #text(text: string): string {
    if (!text.isWellFormed()) throw this.refused('is a text with half of a surrogate pair, which UTF-8 cannot hold')
    this.#add(Buffer.byteLength(text))
    return text
  }

  #number(number: number): number {
    if (!Number.isFinite(number)) throw this.refused('is not a finite number')
    if (Math.abs(number) > Number.MAX_SAFE_INTEGER) {
      throw this.refused('is a number beyond 2 ** 53 - 1, which would come back as a bigint: use a text')
    }
    if (number !== 0 && Math.abs(number) < SMALLEST_NUMBER) {
      throw this.refused('is a number nearer to 0 than 1e-130, which DynamoDB cannot hold')
    }
    // Two digits per byte, but the first and the last may use one each; and a byte for the exponent.
    this.#add(Math.ceil(String(number).length / 2) + 2)
    return number === 0 ? 0 : number
  }

  #object(value: object): PlainData {
    const className = classNameOf(value)
    const { isJson } = this.#form
    if (!isJson && builtin('node:util').types.isUint8Array(value) && className === 'Uint8Array') {
      this.#add(value.length)
      if (Reflect.ownKeys(value).length > value.length) throw this.refused(MORE_THAN_ELEMENTS)
      return new Uint8Array(value)
    }
    if (!isJson && builtin('node:util').types.isSet(value) && className === 'Set') return this.#set(value)
    const isList = Array.isArray(value) && className === 'Array'
    if (!isList && !isPlainObject(value)) throw this.refused(`is ${instanceText(className)}`)
    if (this.#path.length === MOST_LEVELS) {
      throw this.refused(`is nested deeper than ${MOST_LEVELS} levels, or part of itself`)
    }
    this.#add(3)
    return isList ? this.#list(value) : this.#map(value)
  }

  #set(set: ReadonlySet<unknown>): PlainData {
    if (set.size === 0) throw this.refused('is an empty Set, which DynamoDB cannot hold: use an array')
    if (Reflect.ownKeys(set).length > 0) throw this.refused(MORE_THAN_ELEMENTS)
    this.#add(3 + set.size)
    const texts = [...set].filter((element) => typeof element === 'string')
    if (texts.length === set.size) return new Set(texts.map((text) => this.#text(text)))
    const numbers = [...set].filter((element) => typeof element === 'number')
    if (numbers.length === set.size) return new Set(numbers.map((number) => this.#number(number)))
    throw this.refused('is a Set of something else than texts alone or numbers alone')
  }

  #list(array: readonly unknown[]): PlainData {
    const copy: PlainData[] = []
    for (let index = 0; index < array.length; index++) copy.push(this.#element(array, index))
    const keys = copy.length + 1 // one is "length"
    if (Reflect.ownKeys(array).length > keys) throw this.refused(MORE_THAN_ELEMENTS)
    return copy
  }

  #map(object: object): PlainData {
    const keys = Object.keys(object)
    if (Reflect.ownKeys(object).length > keys.length) throw this.refused('has keys that are symbols or not enumerable')
    return Object.fromEntries(keys.map((key) => [this.#key(key), this.#element(object, key)]))
  }

  #key(key: string): string {
    const bytes = Buffer.byteLength(key)
    if (key === '') throw this.refused('has an empty key')
    if (bytes > LONGEST_KEY_BYTES) throw this.refused(`has a key longer than ${LONGEST_KEY_BYTES} bytes`)
    if (!key.isWellFormed()) throw this.refused('has a key with half of a surrogate pair, which UTF-8 cannot hold')
    if (MISREAD_KEYS.includes(key)) throw this.refused(`has the key "${key}", which the AWS SDK misreads`)
    this.#add(bytes)
    return key
  }

  #element(container: object, key: string | number): PlainData {
    this.#add(1)
    this.#path.push(key)
    const copy = this.read(Reflect.get(container, key))
    this.#path.pop()
    return copy
  }
}

/** As in code: checkpoint.state.items[3].at */
export function pathText(path: readonly (string | number)[], name = 'checkpoint.state'): string {
  const steps = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key.slice(0, 60)}` : `[${quoted(key)}]`
  })
  return name + steps.join('')
}

const INSTEAD = new Map([
  ['Buffer', 'use new Uint8Array(buffer)'],
  ['Date', 'use its toISOString()'],
  ['Map', 'use Object.fromEntries(map)'],
  ['Set', 'use an array'],
  ['Uint8Array', 'use a text, such as its base64'],
])

function instanceText(className: string): string {
  if (!/^[\w$]{1,60}$/.test(className)) return 'an instance of a class'
  const article = /^[AEIO]/.test(className) ? 'an' : 'a'
  const instead = INSTEAD.get(className)
  return instead === undefined ? `${article} ${className}` : `${article} ${className}: ${instead}`
}
