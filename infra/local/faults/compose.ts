import type { Interceptor } from '../lambda-host/interceptor.ts'

/** Several interceptors as one: the first is nearest to the function, the last nearest to the service. */
export function compose(...interceptors: readonly [Interceptor, ...Interceptor[]]): Interceptor {
  return interceptors.reduceRight((inner, outer) => chain(outer, inner))
}

/** An inner interceptor hung up, so there is no reply for the outer one. */
class HungUp extends Error {
  override readonly name = 'HungUp'
}

function chain(outer: Interceptor, inner: Interceptor): Interceptor {
  return async (call, forward) => {
    try {
      return await outer(call, async (body) => {
        const reply = await inner(body === undefined ? call : { ...call, body }, (changed) => forward(changed ?? body))
        if (reply === 'hangUp') throw new HungUp()
        return reply
      })
    } catch (error) {
      if (error instanceof HungUp) return 'hangUp'
      throw error
    }
  }
}
