/** The text of docs/reference.md: what the docstrings of the public names say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ELECTION = 'functions/election'
const STANDING = `${ELECTION}/standing`
const CONSTRUCTS = 'infra/constructs'

/** A name, and where it is declared. */
type Declared = readonly [name: string, file: string]

export function reference(): string {
  return [
    '# Reference\n\nGenerated from the docstrings. ' +
      '`npx vitest run test/docs.test.ts -u` writes it anew. Options without',
    'a default, and not marked optional, are required.\n\n## Elect\n',
    ...(['leaderOnly', 'withLease'] as const).map((name) =>
      described([name, `${ELECTION}/${name === 'leaderOnly' ? 'middleware' : 'with-lease'}.ts`], '###'),
    ),
    described(['durableLeader', `${ELECTION}/durable.ts`], '###'),
    '### Options\n\nOf `withLease`, and of `leaderOnly`, which takes tick, context and signal from the invocation.',
    '`durableLeader` has no context, heartbeat and killGraceMs.\n',
    table(['LeaseOptions', `${ELECTION}/options.ts`], ['WithCheckpoint', `${ELECTION}/options.ts`]),
    'Of its option `checkpoint`:\n',
    table(['CheckpointOptions', `${ELECTION}/checkpoint.ts`]),
    'Of `leaderOnly` alone:\n',
    table(['LeaderOnlyOptions', `${ELECTION}/middleware.ts`]),
    'Of `DynamoDBLeaseStore`:\n',
    table(['DynamoDBLeaseStoreOptions', `${ELECTION}/stores/dynamodb.ts`]),
    '### Outcomes\n',
    source(['Outcome', `${ELECTION}/with-lease.ts`]),
    source(['Standby', `${ELECTION}/not-won.ts`]),
    '### Standby reasons\n',
    described(['StandbyReason', `${ELECTION}/rules.ts`]),
    '### The lease\n\nWhat the task gets.\n',
    table(['Lease', `${ELECTION}/lease.ts`]),
    '### Events\n\nFor the option `onEvent`.\n',
    source(['ElectionEvent', `${ELECTION}/election-event.ts`]),
    described(['selfInvoke', `${ELECTION}/self-invoke.ts`], '###'),
    described(['leaseCoordinator', `${ELECTION}/node-cron.ts`], '###'),
    table(['LeaseCoordinatorOptions', `${ELECTION}/node-cron.ts`]),
    described(['leaseMetrics', `${ELECTION}/metrics.ts`], '###'),
    described(['s3Checkpoints', `${ELECTION}/s3.ts`], '###'),
    table(['S3CheckpointsOptions', `${ELECTION}/s3.ts`]),
    table(['S3Checkpoints', `${ELECTION}/s3.ts`]),
    '## Stand\n\nFor [servers that stay](standing.md).\n',
    withMembers(['Election', `${STANDING}/election.ts`]),
    'Its options, besides `store`, `lease`, `maxClockSkewMs`, `onEvent` and `clock` of `withLease`:\n',
    table(['ElectionOptions', `${STANDING}/options.ts`]),
    'Of its option `preempt`:\n',
    table(['Preempt', `${STANDING}/decision.ts`]),
    'A turn of the loop gets a `StandingLease`: [the lease](#the-lease) of a task, and\n',
    table(['StandingLease', `${STANDING}/election.ts`]),
    '## Errors\n',
    ...errorNames().map((name) => withMembers([name, `${ELECTION}/errors.ts`])),
    '## Constructs\n',
    withMembers(['ElectedSchedule', `${CONSTRUCTS}/elected-schedule.ts`]),
    'Its props, with either `handler` or `entry`, and either `rate` or `cron`:\n',
    table(
      ...['ElectionProps', 'HandlerProps', 'EntryProps', 'RateProps', 'CronProps'].map(
        (name): Declared => [name, `${CONSTRUCTS}/elected-schedule-props.ts`],
      ),
    ),
    ...'LeaseTable StandingElection LeadershipAlarms LeadershipEvents LeadershipDashboard HandlerFunction'
      .split(' ')
      .flatMap((name) => {
        const file = `${CONSTRUCTS}/${name.replaceAll(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.ts`
        return [withMembers([name, file]), 'Its props:\n', table([`${name}Props`, file])]
      }),
    described(['ConfigurationError', `${CONSTRUCTS}/configuration.ts`], '###').trimEnd(),
  ]
    .join('\n')
    .concat('\n')
}

const textOf = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8')

/** The declaration and its docstring. */
function find([name, file]: Declared): { readonly doc: string; readonly code: string } {
  const text = textOf(file)
  const at = text.search(new RegExp(`^(export )?(async )?(interface|class|type|function) ${name}\\b`, 'm'))
  if (at < 0) throw new Error(`${file} declares no ${name}`)
  const isType = /^(export )?type /.test(text.slice(at))
  const [code = ''] = (isType ? /[\s\S]*?(?=\n\n|$)/ : /[\s\S]*?\n\}/).exec(text.slice(at)) ?? []
  const before = text.slice(0, at).trimEnd()
  return { code, doc: before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : '' }
}

function described(declared: Declared, level?: '###'): string {
  const { text, throws } = read(find(declared).doc)
  const heading = level === undefined ? '' : `${level} ${declared[0]}\n\n`
  return `${heading}${text}\n${throws === '' ? '' : `\nThrows ${throws}.\n`}`
}

function source(declared: Declared): string {
  return `\`\`\`typescript\n${find(declared).code}\n\`\`\`\n`
}

function errorNames(): string[] {
  return [...textOf(`${ELECTION}/errors.ts`).matchAll(/^export class (\w+)/gm)].map(([, name = '']) => name)
}

function withMembers(declared: Declared): string {
  const members = table(declared)
  return members.includes('`') ? `${described(declared, '###')}\n${members}` : described(declared, '###')
}

const MEMBER =
  /^(?: {2}(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n)? {2}(?:get (\w+)\(\)|(?:readonly |async )?\*?([a-z]\w*\??(?:<.+?>)?(?:\(.*?\))?)): (.+?)(?: \{| = .*)?$/gm

/** Undefined members exclude each other's props; every error has a name. */
const LEFT_OUT = /^undefined$|^string = /

function table(...declared: readonly Declared[]): string {
  const rows = declared.flatMap((of) =>
    [...find(of).code.matchAll(MEMBER)].flatMap(([, doc = '', getter, name = getter ?? '', type = '']) => {
      if (LEFT_OUT.test(type) || name === 'name') return []
      const { text, byDefault, throws } = read(doc)
      const words = [text, byDefault && `Default: ${byDefault}.`, throws && `Throws ${throws}.`]
        .filter(Boolean)
        .join(' ')
      return [`| \`${cell(name)}\` | \`${cell(type.replace(/ \| undefined$/, ''))}\` | ${cell(words)} |`]
    }),
  )
  return `| name | type | |\n|---|---|---|\n${rows.join('\n')}\n`
}

const cell = (text: string) => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')

/** Prose and tags of a docstring. Examples are in the other pages, which are compiled. */
function read(doc: string) {
  const lines = doc
    .replace(/^\/\*\*|\*\/$/g, '')
    .replaceAll(/^ *\* ?/gm, '')
    .trim()
    .replaceAll(/\s(?=@)/g, '\n')
  const [text = '', ...tags] = lines.split(/^@/m)
  const flowing = (of: string) =>
    of
      .trim()
      .replaceAll(/(?<!\n)\n *(?![\n -])/g, ' ')
      .replaceAll(/\{@link (\w+)\}/g, '`$1`')
  const tag = (name: string) => {
    const found = tags.find((of) => of.startsWith(`${name} `))
    return found === undefined ? '' : flowing(found.slice(name.length)).replace(/\.$/, '')
  }
  return { text: flowing(text), byDefault: tag('default'), throws: tag('throws') }
}
