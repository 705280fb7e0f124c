/**
 * Runs one bundled handler in a process of its own, as Lambda does. Plain JavaScript, so that no compiler runs within
 * what is measured. Without a parent to ask it, it invokes the handler once and prints the verdict.
 */
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
const beforeLoadMs = performance.now()
const { handler } = await import(bundle)

let invocations = 0
const context = () => ({
  functionName: 'bench',
  awsRequestId: `${process.pid}-${++invocations}`,
  getRemainingTimeInMillis: () => 600_000,
})
const tick = (number) => new Date(Date.UTC(2020, 0, 1) + number * 1_000).toISOString()

/** Time and processor since the start of the process or of `from`, and the peak of its memory. */
function costs(fromMs = 0, from = undefined) {
  const { user, system } = process.cpuUsage(from)
  return {
    ms: performance.now() - fromMs,
    cpuMs: (user + system) / 1_000,
    rssMB: process.resourceUsage().maxRSS / 1_024,
  }
}

const held = []
const orders = {
  /** One cycle after the other, for so many leases in turn. */
  async run({ cycles, leases }) {
    const [beganMs, cpu] = [performance.now(), process.cpuUsage()]
    for (let n = 0; n < cycles; n++) {
      const { status } = await handler({ tick: tick(invocations), lease: `lease-${n % leases}` }, context())
      if (status !== 'completed') throw new Error(`A candidate without competitors is ${status}`)
    }
    return costs(beganMs, cpu)
  },
  /** So many candidates for one tick at once. */
  async contend({ contenders, lease }) {
    const [beganMs, cpu] = [performance.now(), process.cpuUsage()]
    const event = { tick: tick(invocations), lease }
    const verdicts = await Promise.all(Array.from({ length: contenders }, () => handler(event, context())))
    return { ...costs(beganMs, cpu), led: verdicts.filter(({ status }) => status === 'completed').length }
  },
  /** Leads, and keeps the leases until `finish`. */
  async hold({ leases }) {
    const [beganMs, cpu] = [performance.now(), process.cpuUsage()]
    const leading = leases.map((lease) => {
      const { promise, resolve, reject } = Promise.withResolvers()
      const task = () => new Promise((finish) => resolve(finish))
      const ended = handler({ tick: tick(0), lease, task }, context())
      ended.then(({ status }) => reject(new Error(`The only candidate is ${status}`)), reject)
      return promise.then((finish) => held.push({ finish, ended }))
    })
    await Promise.all(leading)
    return costs(beganMs, cpu)
  },
  async finish() {
    for (const { finish } of held) finish()
    await Promise.all(held.map(({ ended }) => ended))
    return costs()
  },
}

if (process.send === undefined) {
  const { status } = await handler({ tick: tick(0) }, context())
  const verdict = { status, ...costs(), loadMs: performance.now() - beforeLoadMs, loaded }
  process.stdout.write(JSON.stringify(verdict), () => process.exit(0))
} else {
  process.on('message', async ({ order, ...parameters }) => process.send(await orders[order](parameters)))
  process.on('disconnect', () => process.exit())
  process.send('ready')
}
