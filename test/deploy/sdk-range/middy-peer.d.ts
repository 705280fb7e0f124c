/** An optional peer of middy, whose types middy imports from it. */
declare module '@aws/durable-execution-sdk-js' {
  export interface DurableContext {
    readonly executionContext: object
  }
}
