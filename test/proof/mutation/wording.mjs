import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

/** The wording of an error: people read it, and its tests look for the words that matter. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'wording', {
    shouldIgnore(path) {
      const { parentPath } = path
      const isMessage =
        parentPath?.isNewExpression() &&
        path.listKey === 'arguments' &&
        path.key === 0 &&
        parentPath.node.callee.type === 'Identifier' &&
        parentPath.node.callee.name.endsWith('Error')
      return isMessage ? 'the wording of a message' : undefined
    },
  }),
]
