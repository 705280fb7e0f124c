import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

/** Ignores the message of an error: it is for people, and its tests look for the words that matter. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'wording', {
    shouldIgnore: ({ parentPath, listKey, key }) => {
      const isFirstArgument = parentPath?.isNewExpression() && listKey === 'arguments' && key === 0
      const callee = isFirstArgument ? parentPath.node.callee : undefined
      const isMessage = callee?.type === 'Identifier' && callee.name.endsWith('Error')
      return isMessage ? 'the wording of a message' : undefined
    },
  }),
]
