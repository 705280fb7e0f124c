import type { KnownFault } from './target.ts'

/** Found in many readers: harmless but for logs, which somebody may flood. */
export const ENDLESS: KnownFault = {
  what: 'the message repeats all of the input',
  says: /the message has \d+ characters/,
}
