// @ts-nocheck
import { Feed } from '../../infra/local/page/feed.ts'

/** A feed that counts the pages that listen. */
export class CountedFeed extends Feed {
  listening = 0

  override subscribe(...[listener]: Parameters<Feed['subscribe']>): Disposable {
    const subscription = super.subscribe(listener)
    this.listening += 1
    return {
      [Symbol.dispose]: () => {
        this.listening -= 1
        subscription[Symbol.dispose]()
      },
    }
  }
}
