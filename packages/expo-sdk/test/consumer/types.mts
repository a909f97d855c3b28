import { CustomerIO, type CustomerIOConfig } from '@pushkeep/expo-sdk'
import {
  type Client,
  type ClientOptions,
  createClient,
  type SdkError,
} from '@pushkeep/expo-sdk/core'

declare const config: CustomerIOConfig & ClientOptions
const client: Client = createClient(config)

export async function all(onError: (error: SdkError) => void): Promise<string | undefined> {
  await CustomerIO.initialize({ ...config, onError, identityToken: async (id) => `token of ${id}` })
  await CustomerIO.identify('ana', { first_name: 'Ana', plan: { name: 'pro' } })
  await CustomerIO.identify({ userId: 'ana', traits: { age: 5 }, identityToken: 'jwt' })
  await CustomerIO.identify('ana', {}, { identityToken: 'jwt' })
  await client.setProfileAttributes({ gone: null })
  // @ts-expect-error: an id is text
  await client.identify({ userId: 5 })
  // @ts-expect-error: the host is missing
  createClient({ cdpApiKey: 'pk', store: config.store })
  const device = await client.getDevice()
  return device?.lastStatus
}
