/** The public declarations of the package in one text, without comments: a changed type is a changed line. */
// @ts-nocheck

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
// The compiler's own interface. Any version may change it; package.json pins the version.
import { type Node, SyntaxKind } from 'typescript/unstable/ast'
import { isIdentifier } from 'typescript/unstable/ast/is'
import { API, type Project, type Symbol as PublicName, SymbolFlags } from 'typescript/unstable/sync'

const HEADING = `# Public declarations

What the package declares for its users, without comments. \`npm run api\` writes this page anew; \`npm run check\`
compares it. A change here is a change for users, and needs a changeset.
`

const LONGEST_BLOCK = 80

/**
 * @param entries what users import, each with the path of its declaration file
 * @param directory for the configuration of the compiler
 */
export function apiReport(entries: ReadonlyMap<string, string>, directory: string): string {
  const config = join(directory, 'tsconfig.json')
  const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, types: [] }
  writeFileSync(config, JSON.stringify({ compilerOptions, files: [...entries.values()] }))
  const api = new API({ cwd: directory })
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
    if (project === undefined) throw new Error(`The compiler did not open ${config}`)
    return reportOf(project, entries)
  } finally {
    api.close()
  }
}

function reportOf(project: Project, entries: ReadonlyMap<string, string>): string {
  const { checker, emitter, program } = project

  /** Its declarations at the top level of our files. Members, parameters and names of other packages have none. */
  const declarationsOf = (name: PublicName): Node[] =>
    name.declarations.flatMap((handle) => {
      const node = handle.path.includes('/node_modules/') ? undefined : handle.resolve(project)
      const isConstant = node?.kind === SyntaxKind.VariableDeclaration
      const statement = isConstant ? node?.parent?.parent : node
      return statement?.parent?.kind === SyntaxKind.SourceFile ? [statement] : []
    })
  const original = (name: PublicName) => (name.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name)
  const namedBy = (name: PublicName): PublicName[] =>
    checker
      .getSymbolAtLocation(declarationsOf(name).flatMap(identifiersIn))
      .flatMap((found) => (found === undefined ? [] : [original(found)]))
      .filter((found) => declarationsOf(found).length > 0)
  const print = (name: PublicName) =>
    declarationsOf(name)
      .map((node) => emitter.printNode(node))
      .join('\n')
      .replaceAll(/^ *#private;\n/gm, '')
      .replaceAll(/\{\n([^{}]*);\n *\}/g, (block, members) => {
        const line = `{ ${members.trim().replaceAll(/\n */g, ' ')} }`
        return line.length <= LONGEST_BLOCK ? line : block
      })
      .replaceAll(/(\}\)?) \| /g, '$1\n    | ')

  const printedIn = new Map<PublicName, string>()
  const sections = [...entries].map(([entry, file]) => {
    const source = program.getSourceFile(file)
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`${file} exports nothing`)
    const exported = checker.getExportsOfModule(module).map(original).toSorted(byName)
    const texts = exported.map((name) => {
      const earlier = printedIn.get(name)
      printedIn.set(name, earlier ?? entry)
      return earlier === undefined ? print(name) : `// ${name.name}: as in ${earlier}`
    })
    return section(entry, texts)
  })
  const others = new Set<PublicName>()
  for (const name of printedIn.keys()) {
    for (const found of namedBy(name).filter((of) => !printedIn.has(of))) {
      others.add(found)
      printedIn.set(found, '') // the loop visits it, too
    }
  }
  return [HEADING, ...sections, section('Used above, not exported', [...others].toSorted(byName).map(print))].join('\n')
}

const byName = (a: PublicName, b: PublicName) => (a.name < b.name ? -1 : 1)

const section = (heading: string, texts: readonly string[]) =>
  `## ${heading}\n\n\`\`\`typescript\n${texts.join('\n')}\n\`\`\`\n`

function identifiersIn(node: Node): Node[] {
  const found: Node[] = isIdentifier(node) ? [node] : []
  node.forEachChild((child) => void found.push(...identifiersIn(child)))
  return found
}
