/** The other parties of a data owner in the terminal: somebody else's, or our own for as long as a command runs. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Option } from '@commander-js/extra-typings'
import { AttestationError } from '../handshake/attestation/error.ts'
import { type AttestationPolicy, parsePolicy } from '../handshake/attestation/policy.ts'
import { type CatalogEntry, readCatalog } from '../model/files/catalog.ts'
import type { Manifest } from '../model/files/manifest.ts'
import type { PageConfig } from '../owner/api.ts'
import { bundleSource } from '../owner/node/bundle-source.ts'
import { nodeOwner } from '../owner/node/owner.ts'
import type { Owner } from '../owner/owner.ts'
import type { Protection } from '../protections/protection.ts'
import { protections } from '../protections/registry.ts'
import { AUDITED } from '../protections/shared/session/toss.ts'
import { type EngineName, engineNames } from '../protections/veiled/engines.ts'
import { VEILED } from '../protections/veiled/id.ts'
import type { VeiledSettings } from '../protections/veiled/keyring.ts'
import { readKits } from '../protections/veiled/node/kits.ts'
import { veiled } from '../protections/veiled/protection.ts'
import { linkChoices } from '../transport/connect.ts'
import { AddressError, partyUrl } from '../transport/party-url.ts'
import { auditHelp, probability } from './audits.ts'
import { command } from './command.ts'
import { UsageError } from './errors.ts'
import { pageConfig, veiledConfig } from './page-config.ts'
import { startVeiledProcess, withKeys, withProcesses } from './processes.ts'
import { identityKey } from './values.ts'

/** A command of a data owner, with the options that say which model, and whose parties. */
export const owningCommand = (name: string, description: string) =>
  command(name, description)
    .optionsGroup('Model and parties:')
    .option(
      '--model <name>',
      "name of a model on the server, or folder of a bundle; the server's first that fits if not given",
    )
    .option('--models <dir>', 'folder of bundles for parties of our own; models if not given')
    .addOption(
      new Option(
        '--protection <name>',
        protections.map(({ id, notice }) => `${id}: ${notice.summary}`).join('; '),
      )
        .choices(protections.map(({ id }) => id))
        .default(protections[0].id),
    )
    .addOption(
      new Option('--link <name>', 'how to connect; the fastest that does, if not given').choices(linkChoices),
    )
    .option('--server <url>', 'a running model server; without one, server and dealer are started here')
    .option('--dealer <url>', 'its dealer')
    .option(
      '--dealer-key <key>',
      "the dealer's identity key, from somebody who is not the server",
      identityKey,
    )
    .option('--audit <p>', auditHelp, probability, AUDITED)
    .optionsGroup('Veiled models (disguised, not encrypted):')
    .option(
      '--veiled <cloud>',
      'folder that sotto model veil has made: an engine is started here to serve it, unless --server is given',
    )
    .option('--keys <keys>', 'its folder of keys, or a key file in it')
    .option(
      '--attest-policy <file>',
      'what the enclave that the engine runs in has to prove; without proof nothing is sent',
    )
    .addOption(engineOption())
    .optionsGroup('Options:')
    .addHelpText('after', '\nSelf-made certificates are trusted through NODE_EXTRA_CA_CERTS=FILE.')

/** Which engine serves veiled models. */
export const engineOption = () =>
  new Option('--engine <name>', 'what runs veiled models').choices(engineNames)

interface PartiesValues {
  model?: string
  models?: string
  protection: string
  link?: (typeof linkChoices)[number]
  server?: string
  dealer?: string
  dealerKey?: string
  audit: number
  veiled?: string
  keys?: string
  attestPolicy?: string
  engine?: EngineName
}

export interface PartiesChoice {
  /** Name of the model; the first that fits, if absent. */
  model?: string
  /** Folder with its bundle, by itself or among others. */
  folder: string
  protection: Protection
  link?: (typeof linkChoices)[number]
  /** How probable an audit of the dealer is. */
  audit: number
  /** Parties that run already. */
  running?: PageConfig
  /** Of a veiled model: its folder, where an engine is to be started for it, and what its owners have. */
  veiled?: VeiledChoice
}

/** A veiled model, and its keys. */
export interface VeiledChoice {
  cloud?: string
  engine?: EngineName
  settings: VeiledSettings
}

/** Reads the options above. Throws a `UsageError` for what does not go together. */
export function partiesChoice(values: PartiesValues): PartiesChoice {
  if (values.veiled !== undefined || values.protection === VEILED) return veiledChoice(values)
  if (values.keys !== undefined || values.attestPolicy !== undefined)
    throw new UsageError('--keys and --attest-policy are of veiled models: give --veiled, too.')
  const { model, server, dealer, dealerKey: key } = values
  const given = [server, dealer, key].filter((value) => value !== undefined).length
  if (given !== 0 && given !== 3) throw new UsageError('--server, --dealer and --dealer-key belong together.')
  const protection = protections.find(({ id }) => id === values.protection)!
  if (given > 0 && !protection.needsServer)
    throw new UsageError(`--protection ${protection.id} runs a bundle here: leave out --server.`)
  const isFolder = model !== undefined && existsSync(join(model, 'manifest.json'))
  return {
    model: isFolder ? basename(resolve(model)) : model,
    folder: isFolder ? resolve(model) : folderOf(values.models, model),
    protection,
    link: values.link,
    audit: values.audit,
    running: given === 3 ? partiesAt(server!, dealer!, key!, values.audit) : undefined,
  }
}

function veiledChoice(values: PartiesValues): PartiesChoice {
  const { veiled: cloud, keys, server, engine, audit } = values
  if (keys === undefined) throw new UsageError('A veiled model needs its keys: --keys FOLDER.')
  if (cloud === undefined && server === undefined)
    throw new UsageError('Give the folder of a veiled model (--veiled), or a server that has one (--server).')
  if (values.dealer !== undefined || values.dealerKey !== undefined)
    throw new UsageError('Veiled models need no dealer: leave out --dealer and --dealer-key.')
  const policy = values.attestPolicy === undefined ? undefined : readPolicy(values.attestPolicy)
  const settings = { kits: readKits(keys), policy }
  return {
    model: values.model ?? (cloud === undefined ? undefined : basename(resolve(cloud))),
    folder: '',
    protection: veiled,
    link: values.link,
    audit,
    running: server === undefined ? undefined : veiledConfig(serverUrl(server), settings),
    veiled: { cloud, engine, settings },
  }
}

/** Rejects with `AttestationError` for what is no policy. */
function readPolicy(file: string): AttestationPolicy {
  try {
    return parsePolicy(readFileSync(file, 'utf8'))
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause
    throw new UsageError(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`)
  }
}

/** An address that is safe to talk to from here. Throws a `UsageError` for others. */
function serverUrl(server: string): string {
  try {
    return partyUrl(server, 'the model server (--server)')
  } catch (error) {
    if (!(error instanceof AddressError)) throw error
    throw new UsageError(error.message, error.advice)
  }
}

/** Parties that are safe to talk to from here. Throws a `UsageError` for others. */
function partiesAt(server: string, dealer: string, key: string, audit: number): PageConfig {
  try {
    const url = partyUrl(dealer, 'the dealer (--dealer)')
    return pageConfig(serverUrl(server), { url, key }, audit)
  } catch (error) {
    if (!(error instanceof AddressError)) throw error
    throw new UsageError(error.message, error.advice)
  }
}

/** Of the models in the working folder, or in this checkout; a server of our own then loads the chosen one alone. */
function folderOf(models: string | undefined, model: string | undefined): string {
  const own = fileURLToPath(new URL('../../models', import.meta.url))
  const folder = models ?? (existsSync('models') ? 'models' : own)
  return model !== undefined && existsSync(join(folder, model, 'manifest.json'))
    ? join(folder, model)
    : folder
}

/** Calls `use` with one data owner; see {@link withOwners}. */
export const withOwner = <T>(choice: PartiesChoice, use: (owner: Owner) => Promise<T>): Promise<T> =>
  withOwners(choice, (_, makeOwner) => use(makeOwner()))

/**
 * Calls `use` with as many data owners as it wants: of the chosen parties, of two that are started for it and stopped after
 * it, or of nobody where the protection needs no server.
 */
export async function withOwners<T>(
  { folder, running, protection, audit, veiled }: PartiesChoice,
  use: (config: PageConfig, makeOwner: () => Owner) => Promise<T>,
): Promise<T> {
  if (!protection.needsServer) {
    const source = await bundleSource(folder, protection.id)
    const nobody = { server: '' }
    return use(nobody, () => nodeOwner(nobody, { source }))
  }
  if (running) return use(running, () => nodeOwner(running))
  const { cloud, engine } = veiled ?? {}
  if (veiled && cloud)
    return withKeys(async (keys) => {
      const server = await startVeiledProcess({ clouds: [cloud], engine, logLevel: 'error', keys })
      try {
        const config = veiledConfig(server.url, veiled.settings)
        return await use(config, () => nodeOwner(config))
      } finally {
        await server.stop()
      }
    })
  return withProcesses({ models: folder }, ({ server, dealer }) => {
    const config = pageConfig(server.url, dealer, audit)
    return use(config, () => nodeOwner(config))
  })
}

/** What a command needs of a model, and what to say of one that has it not. */
export interface Need {
  fits(manifest: Manifest): boolean
  lack: string
}

/** The chosen bundle, or the first that fits. Throws a `UsageError` where there is none. */
export async function bundleOf(
  { folder, model }: PartiesChoice,
  { fits, lack }: Need,
): Promise<CatalogEntry> {
  const catalog = await readCatalog(folder)
  const named = catalog.filter(({ name }) => model === undefined || name === model)
  const entry = named.find(({ manifest }) => fits(manifest))
  if (entry) return entry
  if (named.length > 0 && model !== undefined) throw new UsageError(`The model ${model} ${lack}.`)
  const names = catalog.map(({ name }) => name).join(', ')
  throw new UsageError(
    `There is no ${model === undefined ? 'such model' : `model ${model}`} in ${folder}, but ${names}.`,
  )
}
