/**
 * The door of a protection on the model server's side, which runs in Node. An entry of `server-registry.ts` takes bundles
 * of the catalogue, gets ready to serve them, and then serves owners' links, one session each.
 */
import type { Logger } from 'pino'
import type { Identity } from '../handshake/crypto.ts'
import type { ServedListing } from '../handshake/listing.ts'
import type { CatalogEntry } from '../model/files/catalog.ts'
import type { Link } from '../transport/link.ts'

/** A protection as the model server runs it. */
export interface ServingProtection {
  /** As on the owner's side. */
  readonly id: string
  /** Whether it would serve this bundle: the first of a list that would gets it. */
  takes(entry: CatalogEntry): boolean
  /** Whether its settings name models that are in no catalogue; then it is started even if it takes none of one. */
  bringsModels?(settings: unknown): boolean
  /**
   * Loads its bundles, connects to whom it needs. Rejects with a plain explanation where it cannot serve one of them;
   * what takes long, or may come back by itself, is reported by the `Serving`.
   */
  serve(request: ServeRequest): Promise<Serving>
}

/** What to serve, and as whom. */
export interface ServeRequest {
  readonly entries: readonly CatalogEntry[]
  /** The server's. */
  readonly identity: Identity
  /** What the command line says for this protection; nobody else reads it. */
  readonly settings: unknown
  /** Sessions at once. */
  readonly maxSessions?: number
  readonly log: Logger
}

/** Bundles being served under one protection. */
export interface Serving {
  readonly models: readonly ServedModel[]
  /** Models that are in no catalogue, with all that is to be said of them. */
  readonly brought?: readonly BroughtListing[]
  /** All models can be used. */
  readonly isReady: boolean
  /** Whether this one is on its way to being ready, and owners had better wait. */
  isPending(modelHash: string): boolean
  /** Resolves when a first session can be opened. */
  whenReady(): Promise<void>
  /** Settles when it is given up for good, with why. */
  readonly failed: Promise<Error>
  /**
   * Answers an owner's introduction, the first message of its link. Rejects with a `SessionError` that the owner is then
   * told. Resolves with what runs the session until the link closes (resolves) or an error (rejects).
   *
   * @param peer the owner's network address, by which turns go
   */
  greet(link: Link, first: Uint8Array, peer: string): Promise<() => Promise<void>>
  stop(): Promise<void>
}

/** A whole listing, but for the protection. */
export type BroughtListing = Omit<ServedListing, 'protection'>

/** A model of a catalogue that a protection serves. */
export interface ServedModel {
  readonly modelHash: string
  /** What the model's listing says besides what every listing does. */
  readonly listing: Readonly<Record<string, unknown>>
}
