import { createServer, type IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { type AdminAnswer, AdminProblem, problemAnswer, readJson, send } from './http.ts'
import type { AdminRequest, AdminWorld, Route } from './route.ts'
import { controlRoutes } from './routes-control.ts'
import { receivedRoutes } from './routes-received.ts'
import { tokenRoutes } from './routes-tokens.ts'

/** A listening admin API. */
export interface Admin {
  port: number
  close: () => Promise<void>
}

/** Starts the admin API: plain HTTP/1.1, no authentication, meant for the local machine. */
export async function startAdmin(
  world: AdminWorld,
  { port, host }: { port: number; host: string },
): Promise<Admin> {
  const routes = [...tokenRoutes(world), ...receivedRoutes(world), ...controlRoutes(world)]
  const server = createServer((request, response) => {
    answer(routes, request).then(
      (result) => send(response, result),
      (cause: unknown) => send(response, problemAnswer(cause)),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP address')
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(routes: Route[], request: IncomingMessage): Promise<AdminAnswer> {
  refusePages(request)
  const url = new URL(request.url ?? '/', 'http://simulator')
  const here = routes.flatMap((route) => {
    const match = route.path.exec(url.pathname)
    return match === null ? [] : [{ route, name: decode(match[1] ?? '') }]
  })
  if (here.length === 0) throw new AdminProblem(404, 'There is no such path')
  const found = here.find(({ route }) => route.method === request.method)
  if (found === undefined) throw new AdminProblem(405, 'This path does not take that method')
  const asked: AdminRequest = {
    name: found.name,
    query: Object.fromEntries(url.searchParams),
    body: await readJson(request),
  }
  return await found.route.answer(asked)
}

const isChange = (method: string | undefined) => method !== 'GET' && method !== 'HEAD'

/**
 * Refuses what a web page may have made a browser send: under a name of its own that leads here (DNS rebinding), or
 * as a change from another site. Programs name an address, localhost or a name without a dot, and no `Origin`.
 */
function refusePages({ headers, method }: IncomingMessage): void {
  const host = headers.host ?? 'localhost'
  if (!isOwnHost(host)) throw new AdminProblem(421, 'This is no host of the simulator')
  if (!isChange(method)) return
  // Browsers say so themselves, with each change that a page asks for.
  const site = headers['sec-fetch-site']
  const isForeign = headers.origin !== undefined && headers.origin !== `http://${host}`
  if (isForeign || site === 'cross-site' || site === 'same-site') {
    throw new AdminProblem(403, 'Changes are not taken from pages of other sites')
  }
}

function isOwnHost(host: string): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return isIP(name) > 0 || name === 'localhost' || !name.includes('.')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AdminProblem(400, 'The path is not properly encoded')
  }
}
