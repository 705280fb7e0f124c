/**
 * Which requests the servers of a run answer. They listen on 127.0.0.1, which keeps other machines out, but neither
 * other users of this machine nor pages in a browser here: a page may send requests to any address, and reaches this
 * one as its own origin by a name that it points at 127.0.0.1 (DNS rebinding).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export const LOOPBACK = '127.0.0.1'

/** 128 random bits, as letters and digits. */
export const newSecret = (): string => randomBytes(16).toString('hex')

/** Takes equally long for every wrong one. */
export function isSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(secret))
}

/** Whether a request was sent to this server by an address, and not by a name that leads here today. */
export const isOwnHost = (host: string | undefined, port: number): boolean =>
  host === `${LOOPBACK}:${port}` || host === `localhost:${port}`

/**
 * Whether a page in a browser sent a request: browsers add one of these headers, and no page can change them.
 * Source: https://www.w3.org/TR/fetch-metadata/
 */
export const isFromPage = (headers: Readonly<Record<string, unknown>>): boolean =>
  headers['origin'] !== undefined || headers['sec-fetch-site'] !== undefined
