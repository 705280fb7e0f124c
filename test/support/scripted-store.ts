import type { LeaseStore } from '../../functions/election/index.ts'
import type { AcquireRequest, GiveBackRequest, HolderWrite } from '../../functions/election/rules.ts'
import type { AcquireReply, WriteReply } from '../../functions/election/stores/store.ts'
import { RulesStore } from '../../functions/election/testing/rules-store.ts'

export type Kind = HolderWrite['kind'] | 'acquire' | 'giveBack'

/** A memory store whose next requests of a kind fail as a test says; it records all requests. */
export class ScriptedStore implements LeaseStore {
  readonly memory = new RulesStore()
  readonly asked: Kind[] = []
  /** The holder's writes among them. */
  readonly writes: HolderWrite[] = []
  readonly #before = new Map<Kind, (() => Promise<void> | void)[]>()
  readonly #after = new Map<Kind, (() => Promise<void> | void)[]>()

  /** Runs `act` before the next request of this kind is applied; throwing drops the request. */
  beforeNext(kind: Kind, ...acts: (() => Promise<void> | void)[]): void {
    this.#before.set(kind, [...(this.#before.get(kind) ?? []), ...acts])
  }

  /** Runs `act` after the next request of this kind was applied; throwing loses the reply. */
  afterNext(kind: Kind, ...acts: (() => Promise<void> | void)[]): void {
    this.#after.set(kind, [...(this.#after.get(kind) ?? []), ...acts])
  }

  acquire(request: AcquireRequest, _signal?: AbortSignal): Promise<AcquireReply> {
    return this.#scripted('acquire', () => this.memory.acquire(request))
  }

  write(request: HolderWrite): Promise<WriteReply> {
    this.writes.push(request)
    return this.#scripted(request.kind, () => this.memory.write(request))
  }

  giveBack(request: GiveBackRequest): Promise<WriteReply> {
    return this.#scripted('giveBack', () => this.memory.giveBack(request))
  }

  async #scripted<T>(kind: Kind, apply: () => Promise<T>): Promise<T> {
    this.asked.push(kind)
    await this.#before.get(kind)?.shift()?.()
    const reply = await apply()
    await this.#after.get(kind)?.shift()?.()
    return reply
  }
}
