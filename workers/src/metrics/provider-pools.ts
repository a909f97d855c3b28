import type { Metrics } from '@pushkeep/runtime'
import { Counter, Gauge } from 'prom-client'
import type { PoolTotals, SenderState } from '../delivery/pool-statistics.ts'
import type { AppNames } from './app-labels.ts'

const sizes = [
  ['sessions', 'pushkeep_provider_sessions', 'HTTP/2 sessions that are open'],
  ['streams', 'pushkeep_provider_streams', 'Requests on a stream that wait for their answer'],
  ['queued', 'pushkeep_provider_queued', 'Requests that wait for others to be answered'],
  [
    'limit',
    'pushkeep_provider_in_flight_limit',
    'Requests that may be in flight now, by the answer time of the provider',
  ],
] as const

const events = [
  ['connects', 'pushkeep_provider_connects_total', 'Sessions that were begun'],
  [
    'connectFailures',
    'pushkeep_provider_connect_failures_total',
    'Sessions that ended without a single answer',
  ],
  ['goaways', 'pushkeep_provider_goaways_total', 'GOAWAY frames received'],
  [
    'replaced',
    'pushkeep_provider_sessions_replaced_total',
    'Silent sessions that were found by PING and replaced',
  ],
  [
    'resent',
    'pushkeep_provider_resent_total',
    'Requests sent again at once, because the provider declared them unprocessed',
  ],
  ['timeouts', 'pushkeep_provider_timeouts_total', 'Requests without an answer within their time'],
] as const

/** What the senders tell of themselves. */
export interface ProviderPools {
  /** By provider and pool: sizes now, and what happened since the start. */
  totals(): PoolTotals[]
  /** Every app's lane that is open. */
  states(): SenderState[]
}

/** Sessions, streams and GOAWAYs by provider and pool; breakers and access tokens by app. */
export function observeProviders(metrics: Metrics, apps: AppNames, pools: ProviderPools): void {
  const registers = [metrics.registry]
  const labelNames = ['provider', 'pool']
  for (const [key, name, help] of sizes) {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const { provider, pool, stats } of pools.totals())
          this.set({ provider, pool }, stats[key])
      },
    })
  }
  for (const [key, name, help] of events) {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        for (const { provider, pool, stats } of pools.totals())
          this.inc({ provider, pool }, stats[key])
      },
    })
  }
  observeLanes(metrics, apps, pools)
}

function observeLanes({ registry }: Metrics, apps: AppNames, pools: ProviderPools): void {
  const labelNames = ['app', 'app_name', 'provider']
  const registers = [registry]
  new Gauge({
    name: 'pushkeep_breaker_open',
    help: '1 while this process holds back an app’s lane because its provider does not serve',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const { appNo, provider, isHeldBack } of pools.states()) {
        this.set({ ...apps.known(appNo), provider }, Number(isHeldBack))
      }
    },
  })
  new Gauge({
    name: 'pushkeep_messages_held_back',
    help: 'Messages that this process holds back alone, because the provider refuses their pushes and serves others',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const { appNo, provider, messagesHeldBack } of pools.states()) {
        this.set({ ...apps.known(appNo), provider }, messagesHeldBack)
      }
    },
  })
  new Gauge({
    name: 'pushkeep_access_token_expires_timestamp_seconds',
    help: 'When the access token in use ends (FCM); it is renewed long before, while there is traffic',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const { appNo, provider, accessToken } of pools.states()) {
        if (accessToken?.expiresAt == null) continue
        this.set({ ...apps.known(appNo), provider }, accessToken.expiresAt / 1000)
      }
    },
  })
  new Gauge({
    name: 'pushkeep_access_token_renewal_failing',
    help: '1 while the last attempt to renew an access token has failed (FCM)',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const { appNo, provider, accessToken } of pools.states()) {
        if (!accessToken) continue
        this.set({ ...apps.known(appNo), provider }, Number(accessToken.isRenewalFailing))
      }
    },
  })
}
