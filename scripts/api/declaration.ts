/** Where an exported name is declared, and its declaration without what only its author needs. */
import type { Source, Span, Statement } from './source.ts'

export interface Declared {
  readonly source: Source
  readonly doc: string
  /** TypeScript: a signature, or a type with its members. */
  readonly code: string
}

type Declaration = NonNullable<Extract<Statement, { type: 'ExportNamedDeclaration' }>['declaration']>
type Class = Extract<Declaration, { body: { type: 'ClassBody' } }>
type Member = Class['body']['body'][number]

/** Finds a name that a file exports, through however many files that only pass it on. Throws where there is none. */
export function declared(source: Source, name: string): Declared {
  for (const statement of source.statements) {
    if (statement.type !== 'ExportNamedDeclaration') continue
    if (statement.declaration && namesOf(statement.declaration).includes(name))
      return describe(source, statement, statement.declaration, name)
    for (const { exported, local } of statement.specifiers) {
      if (nameOf(exported) !== name) continue
      return statement.source
        ? declared(source.imported(statement.source.value), nameOf(local))
        : imported(source, nameOf(local))
    }
  }
  throw new RangeError(`${source.path} does not export ${name}.`)
}

/** What a file imports under a name. */
function imported(source: Source, name: string): Declared {
  for (const statement of source.statements) {
    if (statement.type !== 'ImportDeclaration') continue
    for (const specifier of statement.specifiers)
      if (specifier.type === 'ImportSpecifier' && specifier.local.name === name)
        return declared(source.imported(statement.source.value), nameOf(specifier.imported))
  }
  throw new RangeError(`${source.path} does not import ${name}.`)
}

export const nameOf = (node: { type: string } & ({ name: string } | { value: string })): string =>
  'name' in node ? node.name : node.value

function namesOf(declaration: Declaration): string[] {
  if (declaration.type === 'VariableDeclaration')
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []))
  return 'id' in declaration && declaration.id?.type === 'Identifier' ? [declaration.id.name] : []
}

function describe(source: Source, statement: Span, declaration: Declaration, name: string): Declared {
  const code = codeOf(source, declaration, name)
  return { source, doc: source.docOf(statement), code: `${schemasOf(source, code)}${code}` }
}

function codeOf(source: Source, declaration: Declaration, name: string): string {
  if (isClass(declaration)) return classOf(source, declaration)
  if (declaration.type === 'FunctionDeclaration' && declaration.body)
    return upTo(source, declaration, declaration.body)
  if (declaration.type !== 'VariableDeclaration') return source.slice(declaration)
  const variable = declaration.declarations.find(({ id }) => id.type === 'Identifier' && id.name === name)
  if (!variable?.init) return source.slice(declaration)
  if (variable.init.type === 'ArrowFunctionExpression') {
    const { start, async, body } = variable.init
    const signature = upTo(source, { start }, body).replace(/\s*=>$/, '')
    return async
      ? `async function ${name}${signature.replace(/^async\s*/, '')}`
      : `function ${name}${signature}`
  }
  const { id } = variable
  return id.type === 'Identifier' && id.typeAnnotation
    ? `const ${source.slice(id)}`
    : source.slice(declaration)
}

const isClass = (declaration: Declaration): declaration is Class => declaration.type === 'ClassDeclaration'

/** A class with its public members, none of which shows how it works. */
function classOf(source: Source, declaration: Class): string {
  const members = declaration.body.body.filter(isPublic).map((member) => {
    const doc = source.rawDocOf(member)
    return `${doc && `  ${doc}\n`}  ${memberOf(source, member)}`
  })
  return `${upTo(source, declaration, declaration.body)} {\n${members.join('\n')}\n}`
}

function isPublic(member: Member): boolean {
  if (member.type === 'StaticBlock' || member.type === 'TSIndexSignature') return false
  const isHidden = 'accessibility' in member && ['private', 'protected'].includes(member.accessibility ?? '')
  return member.key.type !== 'PrivateIdentifier' && !isHidden
}

function memberOf(source: Source, member: Member): string {
  if (member.type === 'MethodDefinition' && member.value.body) return upTo(source, member, member.value.body)
  if (member.type === 'PropertyDefinition' && member.typeAnnotation)
    return source.slice({ start: member.start, end: member.typeAnnotation.end })
  return source.slice(member)
}

const upTo = (source: Source, { start }: Pick<Span, 'start'>, body: Span): string =>
  source.slice({ start, end: body.start }).trim()

/** Constants of the file that a type is worked out from, such as the schema of what it checks. */
function schemasOf(source: Source, code: string): string {
  const names = [...code.matchAll(/\btypeof (\w+)/g)].map(([, name]) => name)
  const found = source.statements.filter(
    (statement) =>
      statement.type === 'VariableDeclaration' && namesOf(statement).some((name) => names.includes(name)),
  )
  return found.map((statement) => `${source.slice(statement)}\n\n`).join('')
}
