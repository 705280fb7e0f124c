// @ts-nocheck
import type { SdkTransport } from './sdk.ts'
import type { SdkClient } from './sdk-client.ts'
import type { SendToTable } from './wire.ts'

export interface Transport {
  readonly sdk: SdkTransport
  /** For requests on lease rows. @default as `sdk` */
  readonly lean?: SendToTable
}

/** Transports of clients in memory, for which nothing needs to be loaded. */
export const readyTransports = new WeakMap<SdkClient, Transport>()
