import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { type CollectedSpan, type Collector, spanKinds, startCollector } from './collector.ts'
import { readQuery, type Selector } from './promql.ts'
import { type Metric, readMetrics, seriesOf, together } from './scrape.ts'
import {
  androidToken,
  done,
  inParallel,
  iosToken,
  type System,
  send,
  startSystem,
} from './system.ts'

const soon = { timeout: 60_000, interval: 100 }
const root = fileURLToPath(new URL('../../', import.meta.url))

let collector: Collector
let system: System
const lines: string[] = []

beforeAll(async () => {
  collector = await startCollector()
  const { environment } = collector
  system = await startSystem({
    withPostgres: true,
    workers: 2,
    logLevel: 'trace',
    onLine: (name, line) => lines.push(`${name} ${line}`),
    // 1,200 phones of this test have one address.
    env: {
      registry: { ...environment, LIMIT_ADDRESS: '0' },
      sender: environment,
      workers: environment,
    },
  })
}, 120_000)

afterAll(async () => {
  await system[Symbol.asyncDispose]()
  await collector[Symbol.asyncDispose]()
}, 60_000)

// What must never be told: tokens, people, attributes, contents, in every way they come in.
const secrets = {
  ios: iosToken(),
  android: androidToken(),
  unknown: iosToken(),
  dialect: iosToken(),
  person: `canary.${randomBytes(6).toString('hex')}@example.com`,
  attribute: `canary-attribute-${randomBytes(6).toString('hex')}`,
  title: `canary-title-${randomBytes(6).toString('hex')}`,
  key: `sk_canary${randomBytes(24).toString('base64url')}`,
}

/** A caller's own trace, as its backend would send it along. */
function callersTrace() {
  const traceId = randomBytes(16).toString('hex')
  const spanId = randomBytes(8).toString('hex')
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` }
}

/** The spans above one, up to the caller's. */
function pathOf(span: CollectedSpan, spans: readonly CollectedSpan[]): string[] {
  const parent = spans.find((other) => other.spanId === span.parentSpanId)
  return parent ? [...pathOf(parent, spans), span.name] : [span.name]
}

async function scrape(): Promise<Map<string, Metric>> {
  const texts = await Promise.all(
    system.local.metrics_urls.map(async (url) => (await fetch(url)).text()),
  )
  return together(texts.map(readMetrics))
}

/** The sum of a metric's samples with these labels. */
function sumOf(metrics: Map<string, Metric>, name: string, labels: Record<string, string>): number {
  const samples = metrics.get(name)?.samples ?? []
  return samples
    .filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((sum, { value }) => sum + value, 0)
}

test('one trace leads from the caller through sender, outbox and queue to the provider', async () => {
  const { traceId, spanId, traceparent } = callersTrace()
  const { registry_url, sender_url } = system.local
  const registered = await system.call(
    'PUT',
    `${registry_url}/v1/people/${encodeURIComponent(secrets.person)}/devices`,
    { device: { id: secrets.ios, platform: 'ios', attributes: { note: secrets.attribute } } },
    { traceparent },
  )
  expect(registered.status).toBe(200)
  const sent = await system.call(
    'POST',
    `${sender_url}/v1/messages`,
    { to: { person_id: secrets.person }, content: { title: secrets.title } },
    { traceparent },
  )
  await done(system, sent.body.id)

  const ours = () => collector.spans.filter((span) => span.traceId === traceId)
  const named = (name: string) => ours().filter((span) => span.name === name)
  await expect.poll(() => named('push apns').length, soon).toBe(1)
  await expect.poll(() => named('process apns-transactional').length, soon).toBe(1)
  await expect.poll(() => named('deliver chunk').length, soon).toBe(1)

  const [push] = named('push apns')
  if (!push) throw new Error('no push')
  expect(pathOf(push, ours())).toEqual([
    'POST /v1/messages',
    'ring apns-transactional',
    'process apns-transactional',
    'deliver chunk',
    'push apns',
  ])
  expect(push).toMatchObject({
    kind: spanKinds.client,
    service: 'pushkeep-workers',
    attributes: { 'pushkeep.outcome.accepted': 1 },
  })
  expect(named('POST /v1/messages')[0]).toMatchObject({
    kind: spanKinds.server,
    parentSpanId: spanId,
    service: 'pushkeep-push-sender',
    attributes: { 'http.response.status_code': 202, 'pushkeep.message_id': sent.body.id },
  })
  expect(named('deliver chunk')[0]?.attributes).toMatchObject({
    'pushkeep.message_id': sent.body.id,
    'pushkeep.sent': 1,
    'pushkeep.ended': 'done',
  })
  expect(named('PUT /v1/people/:id/devices')[0]).toMatchObject({
    parentSpanId: spanId,
    service: 'pushkeep-token-registry',
  })
  expect(new Set(ours().map(({ service }) => service)).size).toBe(3)

  // Nothing that was not asked for: no span of a queue's upkeep, no trace of a health check.
  const roots = collector.spans.filter((span) => span.parentSpanId === null)
  expect(roots.filter(({ kind }) => kind !== spanKinds.server)).toEqual([])

  // The lines of the same request and chunk name the message and the trace.
  const about = () => lines.filter((line) => line.includes(sent.body.id))
  await expect.poll(() => about().some((line) => line.includes('chunk.delivered')), soon).toBe(true)
  for (const event of ['"route":"/v1/messages"', 'chunk.delivered']) {
    const line = about().find((one) => one.includes(event)) ?? ''
    expect(line).toContain(`"message_id":"${sent.body.id}"`)
    expect(line).toContain(`"trace_id":"${traceId}"`)
  }
}, 120_000)

test('a broadcast is a span a chunk, and a public key’s trace is its own', async () => {
  const { registry_url, public_key } = system.local
  const theirs = callersTrace()
  const tokens = Array.from({ length: 1200 }, iosToken)
  await inParallel(tokens, 32, async (token) => {
    const answer = await system.call(
      'PUT',
      `${registry_url}/v1/devices/${token}`,
      { platform: 'ios' },
      { authorization: `Bearer ${public_key}`, traceparent: theirs.traceparent },
    )
    expect(answer.status).toBe(200)
  })
  const id = await send(system, { to: { all: true }, content: { title: secrets.title } })
  const { counts } = await done(system, id)
  const chunks = () =>
    collector.spans.filter(
      ({ name, attributes }) =>
        name === 'deliver chunk' && attributes['pushkeep.message_id'] === id,
    )
  const distinct = () =>
    new Set(chunks().map(({ attributes }) => attributes['pushkeep.chunk'])).size
  // 500 devices a chunk at the most; where a plan went on in steps, a chunk has fewer.
  await expect.poll(distinct, soon).toBeGreaterThanOrEqual(3)
  const [chunk] = chunks()
  const trace = () => collector.spans.filter((span) => span.traceId === chunk?.traceId)
  const named = (wanted: string) => trace().filter(({ name }) => name === wanted).length
  await expect.poll(() => named('push apns'), soon).toBeGreaterThanOrEqual(3)
  await expect.poll(() => named('process plan'), soon).toBe(1)
  const sums = chunks().map(({ attributes }) => Number(attributes['pushkeep.sent']))
  expect(sums.reduce((sum, sent) => sum + sent, 0)).toBeGreaterThanOrEqual(counts.sent)
  // One a push it is not: request, plan, and five for each time that a worker takes a chunk.
  expect(trace().length).toBeLessThan(10 + 6 * chunks().length)
  expect(collector.spans.filter(({ traceId }) => traceId === theirs.traceId)).toEqual([])
}, 120_000)

test('bad requests, refused keys, a paused lane and a second provider leave their marks', async () => {
  const { registry, sender, simulator, call, local } = system
  const { ios, android, unknown, person, attribute, key } = secrets
  await registry('PUT', `/v1/people/${encodeURIComponent(person)}`, {
    attributes: { mail: person },
  })
  await registry('PUT', `/v1/devices/${encodeURIComponent(android)}`, {
    platform: 'android',
    person_id: person,
    attributes: { note: attribute },
  })
  await done(
    system,
    await send(system, { to: { token: android }, content: { title: secrets.title } }),
  )
  const bad: [string, string, unknown][] = [
    ['GET', `/v1/devices/${unknown}`, undefined],
    ['GET', `/v1/devices/${unknown}/nothing?token=${ios}&mail=${person}`, undefined],
    ['PUT', `/v1/devices/${ios}`, { platform: 'ios', attributes: { [attribute]: '\u0000' } }],
    ['PUT', `/v1/devices/${ios}`, { platform: ios, person_id: person }],
    ['PUT', `/v1/people/${encodeURIComponent(person)}%00`, {}],
    ['PUT', `/v1/people/${'x'.repeat(300)}`, { attributes: { mail: person } }],
    ['DELETE', `/v1/people/${encodeURIComponent(person)}/devices/${unknown}`, undefined],
  ]
  for (const [method, path, body] of bad) {
    const { status } = await registry(method, path, body)
    expect([path, status >= 400 && status < 500]).toEqual([path, true])
  }
  const message = { to: { token: unknown }, content: { title: 'x'.repeat(1001) } }
  expect((await sender('POST', '/v1/messages', message)).status).toBe(422)
  const refused = await call('GET', `${local.sender_url}/v1/messages/x`, undefined, {
    authorization: `Bearer ${key}`,
  })
  expect(refused.status).toBe(401)

  const behaviour = { kind: 'status', status: 403, reason: 'InvalidProviderToken' }
  expect((await simulator('PUT', `/tokens/${ios}`, { behaviour })).status).toBeLessThan(300)
  const held = await send(system, { to: { token: ios }, content: { title: secrets.title } })
  const lane = async () =>
    (await sender('GET', `/v1/apps/${local.app_id}`)).body.providers.find(
      ({ provider }: { provider: string }) => provider === 'apns',
    )
  await expect.poll(async () => (await lane()).paused, soon).toBe(true)
  const paused = async () =>
    sumOf(await scrape(), 'pushkeep_lane_paused', { provider: 'apns', cause: 'credentials' })
  await expect.poll(paused, soon).toBe(1)
  await simulator('DELETE', `/tokens/${ios}`)
  const resume = `/v1/apps/${local.app_id}/providers/apns/resume`
  expect((await sender('POST', resume)).status).toBe(200)
  expect((await done(system, held)).counts.sent).toBe(1)
  await expect.poll(paused, soon).toBe(0)
}, 120_000)

test('calls in the words of Customer.io are counted, told and traced as the native ones are', async () => {
  const { registry_url, sender_url, secret_key } = system.local
  const counted = async () => {
    const metrics = await scrape()
    return {
      messages: sumOf(metrics, 'pushkeep_messages_total', { result: 'accepted' }),
      devices: sumOf(metrics, 'pushkeep_commands_total', { kind: 'register-device' }),
      events: sumOf(metrics, 'pushkeep_commands_total', { kind: 'event' }),
    }
  }
  const before = await counted()
  const basic = `Basic ${Buffer.from(`site:${secret_key}`).toString('base64')}`
  const spanOf = async (traceId: string, name: string) => {
    const found = () =>
      collector.spans.find((span) => span.traceId === traceId && span.name === name)
    await expect.poll(() => found()?.name, soon).toBe(name)
    return found()
  }
  const lineOf = async (traceId: string, part: string) => {
    const found = () => lines.find((line) => line.includes(traceId) && line.includes(part)) ?? ''
    await expect.poll(found, soon).not.toBe('')
    return found()
  }

  const track = callersTrace()
  const path = '/api/v1/customers/:identifier/devices'
  const registered = await system.call(
    'PUT',
    registry_url + path.replace(':identifier', encodeURIComponent(secrets.person)),
    { device: { id: secrets.dialect, platform: 'ios' } },
    { authorization: basic, traceparent: track.traceparent },
  )
  expect(registered.status).toBe(200)
  await spanOf(track.traceId, `PUT ${path}`)
  expect(await lineOf(track.traceId, `"route":"${path}"`)).toMatch(/"device":"[0-9a-f]+"/)

  const pipelines = callersTrace()
  const event = { type: 'track', userId: secrets.person, event: 'looked', messageId: 'm-1' }
  const seen = await system.call('POST', `${registry_url}/v1/track`, event, {
    authorization: `Basic ${Buffer.from(`${secret_key}:`).toString('base64')}`,
    traceparent: pipelines.traceparent,
  })
  expect(seen.status).toBe(200)
  await spanOf(pipelines.traceId, 'POST /v1/track')

  for (const route of ['/v1/send/push', '/customerio/v1/send/push']) {
    const { traceId, traceparent } = callersTrace()
    const push = {
      identifiers: { id: secrets.person },
      title: secrets.title,
      message: `by ${route}`,
    }
    const sent = await system.call('POST', sender_url + route, push, { traceparent })
    expect([route, sent.status]).toEqual([route, 200])
    const id = String((await spanOf(traceId, `POST ${route}`))?.attributes['pushkeep.message_id'])
    await done(system, id)
    await spanOf(traceId, 'push apns')
    expect(await lineOf(traceId, `"route":"${route}"`)).toContain(`"message_id":"${id}"`)
    expect(await lineOf(traceId, 'chunk.delivered')).toContain(`"message_id":"${id}"`)
  }
  const { messages, devices, events } = before
  expect(await counted()).toEqual({
    messages: messages + 2,
    devices: devices + 1,
    events: events + 1,
  })
}, 120_000)

test('what is counted is what is written down: metrics and ledger agree', async () => {
  const database = connect({ url: system.local.database_url, name: 'test', connectionsMax: 1 })
  const { rows } = await database.query<Record<string, number>>(
    `select sum(sent)::int as sent, sum(bounced)::int as bounced, sum(suppressed)::int as suppressed,
            sum(failed)::int as failed, sum(expired)::int as expired from message_counts`,
  )
  await database.end()
  const metrics = await scrape()
  for (const [status, count] of Object.entries(rows[0] ?? {})) {
    expect([status, sumOf(metrics, 'pushkeep_deliveries_total', { status })]).toEqual([
      status,
      count,
    ])
  }
  expect(sumOf(metrics, 'pushkeep_pushes_total', { outcome: 'accepted' })).toBe(rows[0]?.sent)
  expect(sumOf(metrics, 'pushkeep_lane_pauses_total', { cause: 'credentials' })).toBe(1)
  expect(sumOf(metrics, 'pushkeep_registrations_total', { result: 'applied' })).toBe(1202)
  const { requests } = (await system.simulator('GET', '/received/count')).body
  // A push without an answer is counted too, whether its request arrived or not.
  const pushes = sumOf(metrics, 'pushkeep_pushes_total', {})
  const unanswered =
    sumOf(metrics, 'pushkeep_pushes_total', { outcome: 'unknown' }) +
    sumOf(metrics, 'pushkeep_pushes_total', { outcome: 'unavailable' })
  expect(pushes).toBeGreaterThanOrEqual(requests)
  expect(pushes - unanswered).toBeLessThanOrEqual(requests)
}, 60_000)

test('an end that was set for credentials is told, and pushkeep doctor finds nothing worse', async () => {
  const { local, encryptionKey } = system
  const database = connect({ url: local.database_url, name: 'test', connectionsMax: 1 })
  await database.query(
    `update app_providers set expires_at = now() + interval '3 days 1 hour' where provider = 'fcm'`,
  )
  await database.end()
  const told = async () =>
    sumOf(await scrape(), 'pushkeep_credentials_expire_timestamp_seconds', { provider: 'fcm' })
  await expect.poll(told, soon).toBeGreaterThan(Date.now() / 1000)
  const { stdout: said } = await promisify(execFile)(
    process.execPath,
    [`${root}infra/local/bin/pushkeep.js`, 'doctor'],
    {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: local.database_url,
        PUSHKEEP_ENCRYPTION_KEY: encryptionKey,
        PUSHKEEP_REGISTRY_URL: local.registry_url,
        PUSHKEEP_SENDER_URL: local.sender_url,
        PUSHKEEP_OPERATIONS_URLS: local.metrics_urls.join(),
        APNS_PRODUCTION_URL: local.apns_url,
        APNS_SANDBOX_URL: local.apns_sandbox_url,
        FCM_URL: local.fcm_url,
        FCM_TOKEN_URL: local.fcm_token_url,
        PROVIDER_CA_FILE: local.provider_ca_file,
      },
    },
  )
  expect(said).toMatch(/^warning +credentials +fcm of local app \(.+\) end in 3 days → /m)
  expect(said).toMatch(/^ok +credentials +apns of local app \(.+\), .*, are taken$/m)
  expect(said).toMatch(/^ok +workers +2 processes report$/m)
  expect(said).toMatch(/^warning +identity +local app \(.+\) is open: /m)
  expect(said).toMatch(/^0 problems, 2 warnings$/m)
}, 60_000)

const Dashboard = z.looseObject({
  uid: z.string(),
  templating: z.looseObject({
    list: z.array(z.looseObject({ type: z.string(), definition: z.string().optional() })),
  }),
  panels: z.array(
    z.looseObject({
      title: z.string(),
      targets: z.array(z.looseObject({ expr: z.string(), legendFormat: z.string() })).optional(),
    }),
  ),
})

const Rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(['page', 'ticket', 'note']) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
})

/** Expressions of dashboards and rules, each with where it stands. */
async function expressions(): Promise<{ place: string; expr: string; legend: string }[]> {
  const folder = `${root}infra/grafana/dashboards/`
  const files = await readdir(folder)
  expect(files.length).toBeGreaterThan(0)
  const panels = []
  for (const file of files) {
    const dashboard = Dashboard.parse(JSON.parse(await readFile(folder + file, 'utf8')))
    for (const { title, targets = [] } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        panels.push({ place: `${file}: ${title}`, expr, legend: legendFormat })
      }
    }
    for (const { definition } of dashboard.templating.list) {
      const values = /^label_values\((\w+), (\w+)\)$/.exec(definition ?? '')
      if (!values) continue
      panels.push({
        place: `${file}: a variable`,
        expr: `sum by (${values[2]}) (${values[1]})`,
        legend: '',
      })
    }
  }
  const rules = (await readRules()).map(({ alert, expr, annotations }) => ({
    place: alert,
    expr,
    legend: annotations.summary
      .replaceAll(/\$labels\.(\w+)/g, '$1')
      .replaceAll(/\$value[^}]*/g, ''),
  }))
  return [...panels, ...rules]
}

async function readRules() {
  const text = await readFile(`${root}infra/prometheus/rules/pushkeep.yml`, 'utf8')
  return Rules.parse(parse(text)).groups.flatMap(({ rules }) => rules)
}

// What Prometheus itself adds.
const scraped = ['job', 'instance']

test('no panel and no rule names a metric or a label that there is not', async () => {
  const metrics = await scrape()
  const series = seriesOf(metrics)
  series.set('up', new Set())
  const hasLabel = ({ metric }: Selector, label: string) =>
    scraped.includes(label) || series.get(metric)?.has(label) === true
  const faults: string[] = []
  for (const { place, expr, legend } of await expressions()) {
    const { selectors, groupings } = readQuery(expr)
    for (const selector of selectors) {
      if (!series.has(selector.metric)) faults.push(`${place}: there is no ${selector.metric}`)
      for (const label of selector.labels) {
        if (!hasLabel(selector, label)) faults.push(`${place}: ${selector.metric} has no ${label}`)
      }
    }
    for (const { labels, of } of groupings) {
      for (const label of labels) {
        const isThere = of.some((selector) => hasLabel(selector, label))
        if (!isThere) faults.push(`${place}: nothing in it has the label ${label}`)
      }
    }
    const kept = groupings.flatMap(({ labels }) => labels)
    for (const [, label = ''] of legend.matchAll(/\{\{ ?(\w+) ?\}\}/g)) {
      const isKept =
        kept.length > 0 ? kept.includes(label) : selectors.some((one) => hasLabel(one, label))
      if (!isKept) faults.push(`${place}: the result has no ${label} to show`)
    }
  }
  expect(faults).toEqual([])
}, 60_000)

test('each alert has its runbook, each runbook its alert, and each says how it ends', async () => {
  const rules = await readRules()
  const files = await readdir(`${root}docs/runbooks`)
  const named = rules.map(({ annotations }) => annotations.runbook)
  expect(new Set(named)).toEqual(new Set(files.map((file) => `docs/runbooks/${file}`)))
  for (const { alert, annotations } of rules) {
    const text = await readFile(root + annotations.runbook, 'utf8')
    expect(text).toContain(`\`${alert}\``)
    for (const part of [
      'What it means',
      'What to look at',
      'What to do',
      'How you see that it is over',
    ]) {
      expect([alert, text.includes(`**${part}`)]).toEqual([alert, true])
    }
  }
  // What a runbook tells to look at has to be there, too.
  const metrics = await scrape()
  const names = new Set([...metrics.keys(), ...seriesOf(metrics).keys()])
  for (const file of files) {
    const text = await readFile(`${root}docs/runbooks/${file}`, 'utf8')
    for (const [name] of text.matchAll(/\b(pushkeep|nodejs|bullmq|process)_\w+/g)) {
      expect([file, name, names.has(name)]).toEqual([file, name, true])
    }
    for (const [, link = ''] of text.matchAll(/\]\(([\w-]+\.md)\)/g)) expect(files).toContain(link)
  }
}, 60_000)

test('docs/operations.md lists every metric as it is', async () => {
  const text = await readFile(`${root}docs/operations.md`, 'utf8')
  const listed = [
    ...text.matchAll(/^\| `((?:pushkeep|bullmq)_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm),
  ].map(([, name, type, labels, help]) => ({ name, type, labels, help }))
  const metrics = await scrape()
  const known = [...metrics.values()]
    .filter(({ name }) => /^(pushkeep|bullmq)_/.test(name))
    .map(({ name, type, help, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)))
      labels.delete('le')
      return { name, type, labels: [...labels].map((label) => `\`${label}\``).join(', '), help }
    })
  const byName = (one: { name: string | undefined }, other: { name: string | undefined }) =>
    String(one.name).localeCompare(String(other.name))
  expect(listed.sort(byName)).toEqual(known.sort(byName))
  const alerts = [...text.matchAll(/^\| `(Pushkeep\w+)` \| (\w+) \|/gm)].map(
    ([, alert, severity]) => ({
      alert,
      severity,
    }),
  )
  expect(alerts).toEqual(
    (await readRules()).map(({ alert, labels: { severity } }) => ({ alert, severity })),
  )
}, 60_000)

test('no token, key, person, attribute or content is in a log, a metric or a trace', async () => {
  // Workers and services write in time: what came last is there when a later line is.
  const before = lines.length
  await system.registry('GET', '/v1/people/nobody')
  await expect.poll(() => lines.length, soon).toBeGreaterThan(before)
  const metrics = await Promise.all(
    system.local.metrics_urls.map(async (url) => (await fetch(url)).text()),
  )
  const { secret_key, public_key, database_url } = system.local
  const canaries = {
    ...secrets,
    ...{ secret_key, public_key, password: new URL(database_url).password },
    encoded: encodeURIComponent(secrets.person),
    upper: secrets.ios.toUpperCase(),
  }
  const told = { logs: lines.join('\n'), metrics: metrics.join('\n'), traces: collector.text() }
  for (const [place, text] of Object.entries(told)) {
    expect(text.length).toBeGreaterThan(1000)
    for (const [name, value] of Object.entries(canaries)) {
      expect([place, name, text.includes(value)]).toEqual([place, name, false])
    }
    expect(text).not.toMatch(/BEGIN (RSA |EC )?PRIVATE KEY|bearer ey/i)
  }
}, 60_000)
