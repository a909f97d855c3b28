import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import { ProblemError } from '@pushkeep/runtime'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'

export interface PagesOptions {
  /** Where the built console is. */
  directory: string
}

// Everything from here, nothing inline, nothing that a script writes into the page as markup.
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'"

const pageHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
}

const open = { access: 'open' } as const
const schema = { hide: true }

// A file's name follows from what it holds: what was fetched once is good for ever.
const forEver = 'public, max-age=31536000, immutable'

/** Where the console has a page: one document, whose script shows what the address says. */
const pageRoutes = [
  '/ops',
  '/ops/',
  '/ops/sign-in',
  '/ops/messages',
  '/ops/messages/*',
  '/ops/people',
  '/ops/people/*',
  '/ops/apps',
  '/ops/keys',
  '/ops/audit',
]

/**
 * The console's static files. The page itself tells nothing and is open: whoever is not signed in
 * gets its sign-in. It is asked for anew each time, so that a new release is seen at once.
 */
export const consolePages: FastifyPluginAsync<PagesOptions> = async (app, { directory }) => {
  await app.register(fastifyStatic, {
    root: directory,
    serve: false,
    preCompressed: true,
    cacheControl: false,
  })

  app.get('/ops/assets/*', { config: open, schema }, (request, reply) => {
    const { '*': name } = request.params as { '*': string }
    return reply
      .headers({ ...pageHeaders, 'cache-control': forEver })
      .sendFile(`assets/${name}`, directory)
  })

  app.get('/ops/icon.svg', { config: open, schema }, (_request, reply) =>
    reply.headers({ ...pageHeaders, 'cache-control': 'no-cache' }).sendFile('icon.svg', directory),
  )

  for (const url of pageRoutes) {
    app.get(url, { config: open, schema }, (_request, reply) => sendPage(reply))
  }

  // Somebody who mistyped an address is told so within the console; a script is told so in JSON.
  app.get('/ops/*', { config: open, schema }, (request, reply) => {
    const isApi = request.url.startsWith('/ops/api/')
    const isBrowser = request.headers.accept?.includes('text/html') ?? false
    return isBrowser && !isApi ? sendPage(reply.code(404)) : reply.callNotFound()
  })

  function sendPage(reply: FastifyReply): FastifyReply {
    if (!existsSync(join(directory, 'index.html'))) {
      throw new ProblemError(503, 'console_not_built', {
        detail: 'the console’s pages are not built: npm run build --workspace console',
      })
    }
    return reply
      .headers({ ...pageHeaders, 'cache-control': 'no-cache' })
      .sendFile('index.html', directory)
  }
}
