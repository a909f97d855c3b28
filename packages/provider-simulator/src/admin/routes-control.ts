import { z } from 'zod'
import { issueApp, NewApp } from '../credentials.ts'
import { FaultsPatch } from '../faults.ts'
import type { Traffic } from '../network/traffic.ts'
import type { Simulation } from '../simulation.ts'
import { AdminProblem, valid } from './http.ts'
import type { AdminWorld, Route } from './route.ts'

const Goaway = z.strictObject({ provider: z.enum(['apns', 'fcm']) })

/** Faults, credentials, counters, health and reset. */
export function controlRoutes(world: AdminWorld): Route[] {
  const { simulation } = world
  return [
    ...faultRoutes(simulation),
    ...credentialRoutes(world),
    {
      method: 'GET',
      path: /^\/counters$/,
      answer: () => ({ status: 200, body: counters(simulation) }),
    },
    { method: 'GET', path: /^\/health$/, answer: () => ({ status: 200, body: { ok: true } }) },
    {
      method: 'GET',
      path: /^\/ca\.pem$/,
      answer: () => ({ status: 200, body: world.caPem, contentType: 'application/x-pem-file' }),
    },
    {
      method: 'POST',
      path: /^\/reset$/,
      answer: () => {
        simulation.reset()
        return { status: 204 }
      },
    },
  ]
}

function faultRoutes(simulation: Simulation): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/faults$/,
      answer: () => ({ status: 200, body: simulation.faults }),
    },
    {
      method: 'PUT',
      path: /^\/faults$/,
      answer: ({ body }) => {
        simulation.setFaults(valid(FaultsPatch, body))
        return { status: 200, body: simulation.faults }
      },
    },
    {
      method: 'DELETE',
      path: /^\/faults$/,
      answer: () => {
        simulation.heal()
        return { status: 204 }
      },
    },
    {
      method: 'POST',
      path: /^\/goaway$/,
      answer: ({ body }) => ({
        status: 200,
        body: { sessions: simulation.goaway(valid(Goaway, body).provider) },
      }),
    },
  ]
}

function credentialRoutes({ simulation, tokenUri, save }: AdminWorld): Route[] {
  const { registry, accessTokens } = simulation
  return [
    {
      method: 'GET',
      path: /^\/credentials$/,
      answer: () => ({ status: 200, body: registry.all() }),
    },
    {
      method: 'POST',
      path: /^\/credentials$/,
      answer: async ({ body }) => {
        const wanted = valid(NewApp, body)
        const app = await issueApp(wanted, tokenUri)
        if (registry.has(wanted.name)) {
          throw new AdminProblem(409, 'Credentials of that name were issued already')
        }
        registry.add(app)
        await save()
        return { status: 201, body: app }
      },
    },
    {
      method: 'DELETE',
      path: /^\/credentials\/([^/]+)$/,
      answer: async ({ name }) => {
        if (!registry.remove(name)) throw new AdminProblem(404, 'No credentials of that name')
        await save()
        return { status: 204 }
      },
    },
    {
      method: 'POST',
      path: /^\/oauth\/revoke$/,
      answer: () => ({ status: 200, body: { revoked: accessTokens.revokeAll() } }),
    },
  ]
}

function counters({ ledger, traffic, accessTokens }: Simulation): object {
  const { user, system } = process.cpuUsage()
  return {
    answers: ledger.answers(),
    apns: trafficOf(traffic.apns),
    fcm: trafficOf(traffic.fcm),
    oauth_tokens_issued: accessTokens.issued,
    cpu_seconds: (user + system) / 1e6,
    rss_bytes: process.memoryUsage.rss(),
    uptime_seconds: process.uptime(),
  }
}

function trafficOf(traffic: Traffic): object {
  return {
    connects: traffic.connects,
    open_sessions: traffic.openSessions,
    open_streams: traffic.openStreams,
    peak_streams: traffic.peakStreams,
    goaways_sent: traffic.goawaysSent,
    refused_streams: traffic.refusedStreams,
    refused_connections: traffic.refusedConnections,
  }
}
