/** Says on every request who asks and what for, in the library's own words, so that the history needs no guessing. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { DynamoDBLeaseStore, LeaseStore } from '../../../../functions/election/index.ts'
import type { Label } from '../history.ts'
import { NOTE_HEADER, type Note } from '../network/passage.ts'
import { additionIn } from './protected-row.ts'

const current = new AsyncLocalStorage<Note>()

/** Whatever the callback puts on the wire is for this. */
export type Labelled = <T>(label: Label, send: () => Promise<T>) => Promise<T>

export function labelledAs(who: string): Labelled {
  let requests = 0
  return (label, send) => current.run({ who, request: `${who}-${++requests}`, label }, send)
}

/** The shipped store; each call says what it is. */
export function labelledStore(store: DynamoDBLeaseStore, labelled: Labelled): LeaseStore {
  return {
    acquire: (request, signal) => labelled({ as: 'acquire', request }, () => store.acquire(request, signal)),
    write: (request, signal) => labelled({ as: 'write', request }, () => store.write(request, signal)),
    giveBack: (request, signal) => labelled({ as: 'giveBack', request }, () => store.giveBack(request, signal)),
    effects: {
      send: (input) => store.send(input), // the task knows whether it claims or adds
      toRow: (item) => store.toRow(item),
      completeWith: (request, items, token) =>
        labelled({ as: 'write', request, op: additionIn(items) }, () => store.completeWith(request, items, token)),
      transact: (tenure, items, token) =>
        labelled({ as: 'guard', tenure, op: additionIn(items) }, () => store.transact(tenure, items, token)),
    },
  }
}

/** Puts the note into a header, and calls `beforeFirstTry` behind all that the library and the SDK do before a request is sent. */
export function noteRequests(client: DynamoDBClient, beforeFirstTry: (label: Label) => void): void {
  const tried = new WeakSet<Note>()
  client.middlewareStack.add(
    (next) => (args) => {
      const note = current.getStore()
      const request: unknown = args.request
      if (note !== undefined && typeof request === 'object' && request !== null && 'headers' in request) {
        Object.assign(Object(request.headers), { [NOTE_HEADER]: encodeURIComponent(JSON.stringify(note)) })
      }
      return next(args)
    },
    { step: 'build', name: 'nemesisNote' },
  )
  client.middlewareStack.add(
    (next) => (args) => {
      const note = current.getStore()
      if (note !== undefined && !tried.has(note)) {
        tried.add(note)
        beforeFirstTry(note.label)
      }
      return next(args)
    },
    { step: 'deserialize', priority: 'low', name: 'nemesisBeforeFirstTry' },
  )
}
