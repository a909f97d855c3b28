/**
 * The address of the registry from what the app says of it: `push.example.com`, as Customer.io's
 * SDKs have it with or without `/v1`, or a whole URL. Without a scheme it is https.
 */
export function baseUrl(apiHost: string): string {
  const withScheme = /^https?:\/\//i.test(apiHost) ? apiHost : `https://${apiHost}`
  const base = withScheme.replace(/\/+$/, '').replace(/\/v1$/, '')
  if (!/^https?:\/\/([^/\s?#@:[\]]+|\[[\da-f:]+\])(:\d+)?(\/[^\s?#]*)?$/i.test(base)) {
    throw new TypeError('apiHost must be a host such as push.example.com, or its URL')
  }
  return base
}

declare const btoa: (text: string) => string

/** `Authorization` with the key as the Pipelines API has it: Basic, without a password. */
export function basicAuthorization(key: string): string {
  return `Basic ${btoa(`${key}:`)}`
}
