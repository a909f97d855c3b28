import type { FastifyInstance } from 'fastify'

/** What the SDK sends and reads beside what every page may. */
const requestHeaders =
  'authorization, content-type, x-identity-token, x-installation-secret, x-item-verdicts'
const answerHeaders = 'date, retry-after'

/**
 * Lets pages of any origin call the routes of a scope and read what they answer. No cookie is
 * involved: whoever calls brings a key, and who has the key needs no page.
 */
export function allowCrossOrigin(scope: FastifyInstance): void {
  scope.addHook('onRequest', (_request, reply, done) => {
    reply
      .header('access-control-allow-origin', '*')
      .header('access-control-expose-headers', answerHeaders)
    done()
  })
}

/** Answers a browser that asks whether it may call this route with headers of ours. */
export function answerPreflight(
  scope: FastifyInstance,
  method: 'GET' | 'POST',
  path: string,
): void {
  scope.options(path, { config: { access: 'open' }, schema: { hide: true } }, (_request, reply) =>
    reply
      .code(204)
      .header('access-control-allow-methods', method)
      .header('access-control-allow-headers', requestHeaders)
      .header('access-control-max-age', '86400')
      .send(),
  )
}
