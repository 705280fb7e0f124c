// @ts-nocheck
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

const SENTENCE = /\w[,:;]? \S.*[.!?] ?$/s

/**
 * Ignores what is for people, whose tests look for the words that matter: the message of an error, and each part of a
 * text that ends as a sentence does.
 */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'wording', {
    shouldIgnore: (path) => (isMessage(path) || isPartOfSentence(path) ? 'the wording of a message' : undefined),
  }),
]

function isMessage({ parentPath, listKey, key }) {
  const isFirstArgument = parentPath?.isNewExpression() && listKey === 'arguments' && key === 0
  const callee = isFirstArgument ? parentPath.node.callee : undefined
  return callee?.type === 'Identifier' && callee.name.endsWith('Error')
}

/** A template that decides something stays: only names stand in it. */
function isPartOfSentence(path) {
  if (textOf(path.node) === undefined) return false
  let whole = path
  while (whole.parentPath?.isBinaryExpression({ operator: '+' })) whole = whole.parentPath
  let last = whole.node
  while (last.type === 'BinaryExpression') last = last.right
  return SENTENCE.test(textOf(last) ?? '')
}

function textOf({ type, value, quasis, expressions }) {
  if (type === 'StringLiteral') return value
  const isPlain = type === 'TemplateLiteral' && expressions.every((part) => /Identifier|Member/.test(part.type))
  return isPlain ? quasis.map((quasi) => quasi.value.cooked).join('x') : undefined
}
