// @ts-nocheck
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { HandOverRequestedError, type Lease, type WriteInput } from '../../../functions/election/index.ts'
import { property } from '../../../functions/election/json.ts'
import { type OwnWrite, PROTECTED } from './effect-watch.ts'
import type { Invocation } from './lambda.ts'
import { Random } from './random.ts'
import type { World } from './world.ts'

class TaskError extends Error {
  override readonly name = 'TaskError'
}

/** Claims a row, sleeps, saves a checkpoint and writes; sometimes it fails, hangs, hands over or gives up the lease. */
export class Task {
  readonly #world: World
  readonly #invocation: Invocation
  readonly #client: DynamoDBDocumentClient
  readonly #lease: Lease

  constructor(world: World, invocation: Invocation, client: DynamoDBDocumentClient, lease: Lease) {
    this.#world = world
    this.#invocation = invocation
    this.#client = client
    this.#lease = lease
  }

  async perform(): Promise<string> {
    if (this.#world.setting.catchesUp && (await this.#catchUp())) return 'handed over'
    return await this.#workOwnTick()
  }

  /** @returns whether it handed over on the way */
  async #catchUp(): Promise<boolean> {
    const { setting, faults } = this.#world
    const { label } = this.#invocation
    const lease = this.#lease
    const random = new Random(setting.seed, `missed ticks of ${label}`)
    for await (const tick of lease.ticks()) {
      if (tick === lease.tick) continue
      if (lease.checkpoint !== undefined && Reflect.get(Object(lease.checkpoint), 'tick') !== tick) {
        this.#world.wrong(`${label} works on ${tick}, with the checkpoint of another tick`)
      }
      if (random.chance(300)) await lease.saveCheckpoint({ tick })
      if (faults.draw('task fails', `${label} missed ${tick}`)?.chance(500))
        throw new TaskError('failed at a missed tick')
      if (setting.parts > 1 && this.#part === 1 && random.chance(150)) {
        await this.#handOver(tick)
        return true
      }
      if (setting.work === 'completion') await this.#advance(tick, random)
      else if (random.chance(200)) lease.giveUp('as drawn')
    }
    return false
  }

  /** Some tasks try again what got no answer. */
  async #advance(tick: string, random: Random): Promise<void> {
    const advance = () => this.#lease.advance([this.#counted(tick)])
    await advance().catch((error: unknown) => {
      if (random.chance(500)) throw error
      return advance()
    })
  }

  /** Of the work on the current tick, counted from 1. */
  get #part(): number {
    return Number(property(this.#lease.checkpoint, 'part') ?? 1)
  }

  async #handOver(tick: string | undefined): Promise<void> {
    this.#world.beliefs.taskRequestsEnd(this.#lease, 'handOver')
    await this.#lease.handOver({ tick, part: this.#part + 1 })
  }

  async #workOwnTick(): Promise<string> {
    const { setting, faults } = this.#world
    const { label } = this.#invocation
    const lease = this.#lease
    const random = new Random(setting.seed, `task ${label}`)
    const row = `row ${random.between(1, 2)}`
    const isLong = !faults.isOver && random.chance(setting.longTasksPerMille)
    if (setting.work === 'fence' && random.chance(800)) await lease.claim({ TableName: PROTECTED, Key: { id: row } })
    await sleep(random.spread(5, 200))
    const part = this.#part
    if (random.chance(300)) await lease.saveCheckpoint({ tick: lease.tick, by: lease.fencingToken, part })
    if (isLong) await sleep(random.spread(2_000, Math.min(40_000, setting.timeoutMs / 2)))
    const failure = faults.draw('task fails', label)
    if (failure?.chance(500)) throw new TaskError('failed before its effect')
    await this.#writeOnce(row, `${label} op 1`, random)
    if (faults.draw('task hangs', label) !== undefined) await sleep(setting.timeoutMs)
    await sleep(random.spread(5, 200))
    if (random.chance(setting.work === 'guard' ? 800 : 300)) {
      await this.#writeOnce(`row ${random.between(1, 2)}`, `${label} op 2`, random)
    }
    if (setting.work === 'fence' && random.chance(500)) await this.#writeRowsTwice(random)
    if (failure !== undefined) throw new TaskError('failed after its effect')
    if (!faults.isOver && random.chance(60)) await this.#giveUp(random)
    else if (part < setting.parts || lease.signal.reason instanceof HandOverRequestedError) {
      await this.#handOver(lease.tick)
    } else if (setting.work === 'completion') await this.#complete()
    return 'done'
  }

  async #complete(): Promise<void> {
    const lease = this.#lease
    this.#world.beliefs.taskRequestsEnd(lease, 'complete')
    await lease.complete([this.#counted(lease.tick ?? '')])
  }

  #counted(tick: string) {
    const counted = {
      Key: { id: `done ${tick}` },
      UpdateExpression: 'SET #by = :by ADD times :one',
      ExpressionAttributeNames: { '#by': 'by' },
      ExpressionAttributeValues: { ':by': this.#lease.fencingToken, ':one': 1 },
    }
    return { Update: { TableName: PROTECTED, ...counted } }
  }

  /** Some tasks ignore an error of the release. */
  async #giveUp(random: Random): Promise<void> {
    const cut = this.#world.faults.draw('cut off while giving up', this.#invocation.label)
    if (cut !== undefined) this.#invocation.environment.connection.cutOff(cut.spread(1_000, 20_000))
    this.#world.beliefs.taskRequestsEnd(this.#lease, 'release')
    const released = this.#lease.release()
    await (random.chance(500) ? released.catch(() => undefined) : released)
  }

  /** Through the lease, which sends nothing after a known loss, or as a fenced write that the task sends by itself. */
  async #writeOnce(row: string, op: string, random: Random): Promise<void> {
    const { setting, effects } = this.#world
    const lease = this.#lease
    const input = this.#update(row, op)
    if (setting.work === 'guard') {
      const write = { op, row, token: lease.fencingToken, how: 'transact' } as const
      await effects.watch(write, () => lease.transact([{ Update: input }]))
    } else if (random.chance(600)) await this.#send(row, op, input)
    else await this.#client.send(new UpdateCommand(lease.fence(input)))
  }

  /** Writes one row or both; the two do not wait for each other. */
  async #writeRowsTwice(random: Random): Promise<void> {
    const rows = random.chance(300) ? ['row 1', 'row 2'] : [`row ${random.between(1, 2)}`]
    const { seed } = this.#world.setting
    const { label } = this.#invocation
    await allOf(rows.map((row) => this.#writeTwice(row, new Random(seed, `${row} of ${label}`))))
  }

  /** One write after another, or side by side; the first perhaps only if this leader has not written the row before. */
  async #writeTwice(row: string, random: Random): Promise<void> {
    const [isConditional, isSideBySide, goesOn] = [random.chance(400), random.chance(300), random.chance(500)]
    const { label } = this.#invocation
    const [first, second] = [`${label} op 3 on ${row}`, `${label} op 4 on ${row}`]
    const input = this.#update(row, first)
    const conditional = isConditional ? { ...input, ConditionExpression: NOT_MINE } : input
    const firstSent = this.#send(row, first, conditional, { isConditional })
    const sendSecond = () => this.#send(row, second, this.#update(row, second))
    const putSecond = () => {
      const { fencingToken: by, tick } = this.#lease
      const Item = { id: row, by, tick, op: second, writes: 1 }
      return this.#send(row, second, { TableName: PROTECTED, Item }, { isPut: true })
    }
    if (isSideBySide) return await allOf([firstSent, random.chance(500) ? sendSecond() : putSecond()], isOfCondition)
    // Some tasks go on after a write that got no answer.
    await firstSent.catch((error: unknown) => {
      if (!goesOn && !isOfCondition(error)) throw error
    })
    await sleep(random.spread(1, this.#world.faults.isOver ? 100 : 3_000))
    await sendSecond()
  }

  /** The process may freeze meanwhile, and its request or the reply be dropped. */
  async #send(row: string, op: string, input: WriteInput, more: Partial<OwnWrite> = {}): Promise<void> {
    const { faults, effects, timeline, lambda } = this.#world
    const { process, connection } = this.#invocation.environment
    const frozen = faults.draw('frozen while writing', op)
    if (frozen !== undefined) {
      const forMs = frozen.spread(2_000, 60_000)
      if (frozen.chance(500)) timeline.after(0, undefined, () => connection.cutOff(forMs + 1))
      else connection.cutOff(forMs + 1)
      lambda.freeze(process, forMs)
    }
    const write = { op, row, token: this.#lease.fencingToken, how: 'send', ...more } as const
    await effects.watch(write, () => this.#lease.send(input))
  }

  #update(id: string, op: string) {
    const { fencingToken, tick } = this.#lease
    return {
      TableName: PROTECTED,
      Key: { id },
      UpdateExpression: 'SET #by = :by, #tick = :tick, #op = :op ADD #writes :one',
      ExpressionAttributeNames: { '#by': 'by', '#tick': 'tick', '#op': 'op', '#writes': 'writes' },
      ExpressionAttributeValues: { ':by': fencingToken, ':tick': tick, ':op': op, ':one': 1 },
    }
  }
}

const NOT_MINE = 'attribute_not_exists(#by) OR #by <> :by'

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits for all, also if one fails. */
async function allOf(writing: readonly Promise<void>[], mayFail: (error: unknown) => boolean = () => false) {
  const failed = (await Promise.allSettled(writing)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected' && !mayFail(failed.reason)) throw failed.reason
}

function isOfCondition(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}
