/** `sotto.models`: what the server offers. */
import { type ModelListing, type OwnerApi, OwnerError } from '../owner/api.ts'
import type { Model, ModelList } from './types.ts'

/** The models of the server that can be run here. */
export class Models {
  readonly #owner: () => OwnerApi

  constructor(owner: () => OwnerApi) {
    this.#owner = owner
  }

  /** All of them. Rejects with `OwnerError`. */
  async list(): Promise<ModelList> {
    const listings = await this.#owner().models()
    return { object: 'list', data: listings.map(modelOf) }
  }

  /** One of them. Rejects with `OwnerError`, `unknown-model` where there is none of the name. */
  async retrieve(id: string): Promise<Model> {
    const { data } = await this.list()
    const model = data.find((each) => each.id === id)
    if (!model)
      throw new OwnerError('unknown-model', `The server has no model '${id}'.`, 'Choose another model.')
    return model
  }
}

const modelOf = (listing: ModelListing): Model => ({
  id: listing.name,
  object: 'model',
  // Bundles have no date.
  created: 0,
  owned_by: 'sotto',
  listing,
})
