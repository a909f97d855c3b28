import { measureCpu } from '../processes.ts'
import type { Report } from '../report.ts'
import { openTenant, type Scene, seedDevices, seedOwners } from '../scene.ts'
import { broadcast } from './broadcast.ts'
import { seedPeople } from './latency.ts'
import { paced } from './one-person.ts'

/** Trouble that is not the bystander's: runs until `signal` is aborted, then ends by itself. */
type Trouble = (signal: AbortSignal) => Promise<void>

const ratePerSecond = 50
const messages = 1000

/**
 * What messages to one person each wait while another device, message or workspace is in trouble, against
 * what they wait without. A bystander whose push does not go out fails the figure.
 */
export async function bystander(
  scene: Scene,
  report: Report,
  { devices, seed, only }: { devices: number; seed: string; only: readonly string[] },
): Promise<void> {
  const tenant = await openTenant(scene, 'neighbour')
  await seedDevices(tenant, devices, `${seed}-neighbour`)
  const few = await openTenant(scene, 'templates')
  await seedDevices(few, 2000, `${seed}-templates`)
  await seedOwners(few, seed)
  const troubles: Record<string, Trouble> = {
    'foreign token': await foreignToken(scene, `${seed}-foreign`),
    'poisoned message': await poisonedMessages(scene, `${seed}-poisoned`),
    '2 % of 500s': await failingTokens(scene, `${seed}-failing`),
    "neighbour's broadcast": async (signal) => {
      while (!signal.aborted) await broadcast(tenant, devices)
    },
    "neighbour's worst template": (signal) => worstTemplates(few, signal),
  }
  await paced(scene, ratePerSecond, 200, `${seed}-warm-up`)
  for (const [name, trouble] of Object.entries(troubles)) {
    if (only.length > 0 && !only.some((part) => name.includes(part))) continue
    const idle = await paced(scene, ratePerSecond, messages, `${seed}-idle-before-${name}`)
    const people = `${seed}-during-${name}`
    await seedPeople(scene, messages, people)
    const ending = new AbortController()
    const running = trouble(ending.signal)
    // A trouble that fails ends the figure, but only once the bystanders are through.
    running.catch(() => {})
    const { result: busy, cores } = await measureCpu(scene.pids, () =>
      paced(scene, ratePerSecond, messages, people, true),
    )
    ending.abort()
    await running
    await report.add({
      figure: `bystander p99 / idle: ${name}`,
      value: busy.p99Ms / idle.p99Ms,
      unit: '',
      bar: { most: 3 },
      detail: { idle, busy, cores, ...(await standing(scene)) },
    })
  }
}

/** Pauses of the bystander's app and its messages that expired: both have to be none. */
async function standing(scene: Scene): Promise<{ pausedLanes: number; expired: number }> {
  const { rows } = await scene.database.query<{ pausedLanes: number; expired: number }>(
    `select (select count(*)::int from app_providers
             where app_no = $1 and paused_at is not null) as "pausedLanes",
            (select coalesce(sum(expired), 0)::int
             from message_counts join messages using (message_no)
             where workspace_no = $2 and audience ->> 'person_id' like '%-during-%') as expired`,
    [scene.appNo, scene.workspaceNo],
  )
  const [row] = rows
  if (!row || row.pausedLanes > 0 || row.expired > 0) {
    throw new Error(`${row?.pausedLanes} lanes are paused, ${row?.expired} pushes expired`)
  }
  return row
}

/** Messages to people in turn, so many a second, until it is to end. A refusal with a 4xx is an answer, too. */
async function stream(
  { local }: Scene,
  perSecond: number,
  signal: AbortSignal,
  message: (n: number) => object,
): Promise<void> {
  const began = performance.now()
  for (let n = 0; !signal.aborted; n += 1) {
    const wait = began + (n * 1000) / perSecond - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const { status } = await fetch(`${local.sender_url}/v1/messages`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${local.secret_key}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(message(n)),
    })
    if (status >= 500) throw new Error(`a message was answered ${status}`)
  }
}

const content = { title: 'Hello' }

async function behave(scene: Scene, tokens: readonly string[], behaviour: object): Promise<void> {
  const answer = await fetch(`${scene.local.simulator_url}/tokens`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(tokens.map((token) => ({ token, behaviour }))),
  })
  if (!answer.ok) throw new Error(`the simulator answered ${answer.status}`)
}

/** A token of another app, sent to five times a second. */
async function foreignToken(scene: Scene, seed: string): Promise<Trouble> {
  await behave(scene, await seedPeople(scene, 1, seed), { kind: 'wrong-topic' })
  return (signal) => stream(scene, 5, signal, () => ({ to: { person_id: `${seed}-0` }, content }))
}

/** As many answers of 500 as are 2 % of the bystanders' pushes, and what their retries bring. */
async function failingTokens(scene: Scene, seed: string): Promise<Trouble> {
  const tokens = await seedPeople(scene, 50, seed)
  await behave(scene, tokens, { kind: 'status', status: 500, reason: 'InternalServerError' })
  return (signal) =>
    stream(scene, ratePerSecond * 0.02, signal, (n) => ({
      to: { person_id: `${seed}-${n % 50}` },
      content,
    }))
}

/** What a caller can get wrong in a message, by headers, raw parts and templates. */
const poisons: readonly object[] = [
  { content, apns: { headers: { 'apns-push-type': 'voip' } } },
  { content, apns: { headers: { 'apns-push-type': 'complication' } } },
  { content, apns: { headers: { 'apns-push-type': 'background', 'apns-priority': '10' } } },
  { content, apns: { headers: { 'apns-topic': 'com.example.another' } } },
  { content, apns: { headers: { 'apns-push-type': 'none-such' } } },
  { content, apns: { payload: { aps: { alert: 7, badge: 'many' } } } },
  { content: { title: '{{ customer.id | divided_by: 0 }}' } },
  { content: { title: `${'{% if customer.id %}'.repeat(40)}x${'{% endif %}'.repeat(40)}` } },
  { content: { title: `${'{% if customer.id %}'.repeat(1900)}x${'{% endif %}'.repeat(1900)}` } },
]

/** Poisoned messages to one person, ten a second. */
async function poisonedMessages(scene: Scene, seed: string): Promise<Trouble> {
  await seedPeople(scene, 1, seed)
  return (signal) =>
    stream(scene, 10, signal, (n) => ({
      to: { person_id: `${seed}-0` },
      ...poisons[n % poisons.length],
    }))
}

/** Doubles a text, then looks through its parts again and again. */
function costly(filter: string): string {
  const doubled = '{% assign l = l | append: l %}'.repeat(12)
  return `{% assign l = customer.id | append: ", ,x," %}${doubled}{% assign q = l | split: "," | ${filter} %}{{ q | size }}`
}

/** Templates that cost as much as one that is accepted can. */
const templates: readonly string[] = [
  costly('where_exp: "x", "x contains customer.id or x contains l"'),
  costly('reject_exp: "x", "l contains x"'),
  costly('sort | uniq | reverse | join: ","'),
  costly('map: "size" | compact | uniq'),
  `{% assign l = customer.id %}${'{% assign l = l | append: l %}'.repeat(14)}{{ l | replace: "a", l | size }}`,
]

/** Broadcasts with each of the templates, one after another. A template may be refused. */
async function worstTemplates(few: Scene, signal: AbortSignal): Promise<void> {
  await stream(few, 2, signal, (n) => ({
    to: { all: true },
    content: { title: templates[n % templates.length] },
  }))
}
