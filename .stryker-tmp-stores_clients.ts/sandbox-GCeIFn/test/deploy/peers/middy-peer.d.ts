/** The types that middy imports from an optional peer dependency. */
// @ts-nocheck

declare module '@aws/durable-execution-sdk-js' {
  export interface DurableContext {
    readonly executionContext: object
  }
}
