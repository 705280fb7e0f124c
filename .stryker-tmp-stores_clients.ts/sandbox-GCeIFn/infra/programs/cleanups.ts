/** What must be undone at the end, in the opposite order: the part of AsyncDisposableStack, which Node 22 lacks. */
// @ts-nocheck

export class Cleanups implements AsyncDisposable {
  #undo: (() => unknown)[] = []

  defer(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  /** One that fails does not keep the others from being undone. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 1) throw new AggregateError(errors, 'Several things could not be cleaned up')
    if (errors.length === 1) throw errors[0]
  }
}
