import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ProblemError } from './problem.ts'

/** Names by commas, such as `registry.ops.example`; `*.ops.example` is every name below. */
export function hostList() {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim().toLowerCase())
        .filter((part) => part !== ''),
    )
    .refine(
      (names) => names.every((name) => /^(\*\.)?[a-z0-9.-]+$/.test(name)),
      'must be names of hosts by commas, such as ops.example or *.ops.example',
    )
}

// Names that no one outside can own: they are given inside a cluster.
const inside = ['.localhost', '.svc', '.svc.cluster.local']

/**
 * Whether a `Host` is one by which programs reach a private port: an address, `localhost`, a name without a dot (as
 * containers have), one inside a cluster, or one of `names`. A page of elsewhere comes under a name of its own,
 * whatever address it leads to (DNS rebinding). No `Host` at all is no browser.
 */
export function isOwnHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined || host === '') return true
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  if (isIP(name) > 0 || !name.includes('.')) return true
  if (inside.some((suffix) => name.endsWith(suffix))) return true
  return names.some((own) => (own.startsWith('*.') ? name.endsWith(own.slice(1)) : name === own))
}

/** Refuses requests that name a host which is none of the server's. */
export function refuseForeignHosts(app: FastifyInstance, names: readonly string[]): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (isOwnHost(request.headers.host, names)) done()
    else done(new ProblemError(421, 'foreign_host', { detail: 'see OPERATIONS_HOSTS' }))
  })
}
