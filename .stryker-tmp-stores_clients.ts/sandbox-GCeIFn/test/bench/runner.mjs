/**
 * Runs one bundled handler in a process of its own, as Lambda does. Plain JavaScript, so that no compiler runs within
 * what is measured. Without a parent to ask it, it invokes the handler once and prints the verdict.
 */
// @ts-nocheck

const [, , bundle] = process.argv
const loaded = []
if (process.env.BENCH_TRACE) {
  const { registerHooks } = await import('node:module')
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) loaded.push(url)
      return next(url, context)
    },
  })
}
const { handler } = await import(bundle)

let invocations = 0
const context = () => ({
  functionName: 'bench',
  awsRequestId: `${process.pid}-${++invocations}`,
  getRemainingTimeInMillis: () => 600_000,
})
const tick = (number) => new Date(Date.UTC(2020, 0, 1) + number * 1_000).toISOString()

/** Since the start of the process, or while `act` runs. */
async function costs(act) {
  const [beganMs, began] = act ? [performance.now(), process.cpuUsage()] : [0, undefined]
  await act?.()
  const { user, system } = process.cpuUsage(began)
  const rssMB = process.resourceUsage().maxRSS / 1_024
  return { ms: performance.now() - beganMs, cpuMs: (user + system) / 1_000, rssMB }
}

const held = []
const orders = {
  /** One cycle after the other, for so many leases in turn. */
  async run({ cycles, leases }) {
    for (let n = 0; n < cycles; n++) {
      const { status } = await handler({ tick: tick(invocations), lease: `lease-${n % leases}` }, context())
      if (status !== 'completed') throw new Error(`A candidate without competitors is ${status}`)
    }
  },
  /** So many candidates for one tick at once. */
  async contend({ contenders, lease }) {
    const event = { tick: tick(invocations), lease }
    const verdicts = await Promise.all(Array.from({ length: contenders }, () => handler(event, context())))
    const led = verdicts.filter(({ status }) => status === 'completed').length
    if (led !== 1) throw new Error(`${led} of ${contenders} candidates led`)
  },
  /** Leads, and keeps the leases until `finish`. */
  async hold({ leases }) {
    const leading = leases.map((lease) => {
      const { promise, resolve, reject } = Promise.withResolvers()
      const task = () => new Promise((finish) => resolve(finish))
      const ended = handler({ tick: tick(0), lease, task }, context())
      ended.then(({ status }) => reject(new Error(`The only candidate is ${status}`)), reject)
      return promise.then((finish) => held.push({ finish, ended }))
    })
    await Promise.all(leading)
  },
  async finish() {
    for (const { finish } of held) finish()
    await Promise.all(held.map(({ ended }) => ended))
  },
}

if (process.send === undefined) {
  const { status } = await handler({ tick: tick(0) }, context())
  process.stdout.write(JSON.stringify({ status, ...(await costs()), loaded }), () => process.exit(0))
} else {
  process.on('message', async ({ order, ...given }) => process.send(await costs(() => orders[order](given))))
  process.on('disconnect', () => process.exit())
  process.send('ready')
}
