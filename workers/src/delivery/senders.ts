import type { Outcome, Provider } from '@pushkeep/domain'
import {
  type AccessTokenState,
  createApnsProvider,
  createFcmProvider,
  type Endpoints,
  type MessageToRender,
  type Personalise,
  type PoolStats,
  type PushProvider,
  parseApnsCredentials,
  parseFcmCredentials,
  personalApns,
  personalFcm,
  renderApns,
  renderFcm,
  type Urgency,
} from '@pushkeep/providers'
import type { AppProvider, LeasedChunk, Recipient } from '@pushkeep/store'
import { apnsIdsOf } from './apns-id.ts'
import { createLaneBreaker, type HeldBack, type LaneBreaker } from './lane-breaker.ts'
import { createPoolStatistics } from './pool-statistics.ts'
import type { RenderPlace, Slices } from './render-slices.ts'
import { createRoom, type Room } from './room.ts'
import { once, type Sender, sendPersonal } from './send-personal.ts'

/** One push of a message. */
export interface Push extends Pick<Recipient, 'deviceNo' | 'environment' | 'customer'> {
  token: string
}

/** Sends one message's pushes of one chunk. */
export interface MessageSender {
  breaker: LaneBreaker
  /** Resolves when a window of a broadcast may be claimed; see `Room`. */
  enter(): Promise<() => void>
  /** How many recipients are claimed at a time: as many as are sent to soon. */
  windowSize(): number
  send(push: Push, done: (outcome: Outcome) => void): void
}

export interface SendersOptions {
  /** An app's credentials in clear; null where it has none. */
  load: (appNo: number, provider: Provider) => Promise<AppProvider | null>
  endpoints: Endpoints
  /** Most apps and providers with open sessions; the one unused for longest is closed beyond that. */
  openMax: number
  closeDeadlineMs: number
  slices: Slices
  /** The time that rendering the templates of one push may take, in milliseconds. */
  renderMs: number
  /** Told of urgent pushes; broadcasts of every app yield to them. */
  urgency: Urgency
  /** Most recipients that are claimed at a time. */
  windowSize: number
  now: () => number
  random: () => number
}

interface Opened {
  appNo: number
  provider: Provider
  version: number
  /** How often an operator resumed the lane, as far as this process has seen. */
  resumes: number
  breaker: LaneBreaker
  room: Room
  /** Makes a sender for one message. */
  render: (message: ChunkToRender, now: number, place: RenderPlace) => Sender
  pools: () => Record<string, PoolStats>
  accessToken: () => AccessTokenState | null
  close: () => Promise<void>
}

/** What a breaker of an app's provider holds back; times in ms since the epoch. */
export interface BreakerStanding extends HeldBack {
  appNo: number
  provider: Provider
}

/** A message but for what its app says of it. */
type ChunkToRender = Omit<MessageToRender, 'sdkKeys'> & { isPersonal: boolean }

/** How a provider's pushes are made: one for all devices of a message, or one for each. */
interface Renderers<Push> {
  shared: (message: ChunkToRender, now: number) => Push
  personal: (message: ChunkToRender, now: number) => Personalise<Push>
}

/** Provider sessions by app, opened when first needed and kept: one pool a credential. */
export function createSenders(options: SendersOptions) {
  const opened = new Map<string, Promise<Opened>>()
  const statistics = createPoolStatistics()

  async function provide(chunk: LeasedChunk): Promise<Opened> {
    const key = `${chunk.appNo}/${chunk.provider}`
    const known = opened.get(key)
    if (known !== undefined) {
      const entry = await known
      // Last in the map is used last.
      opened.delete(key)
      opened.set(key, known)
      if (entry.version === chunk.credentialsVersion) {
        if (entry.resumes !== chunk.resumes) entry.breaker.close()
        entry.resumes = chunk.resumes
        return entry
      }
      opened.delete(key)
      void statistics.close(entry)
    }
    const fresh = openProvider(options, chunk)
    opened.set(key, fresh)
    fresh.then(
      (entry) => statistics.add(entry),
      () => opened.delete(key),
    )
    closeSurplus()
    return fresh
  }

  function closeSurplus() {
    for (const [key, entry] of opened) {
      if (opened.size <= options.openMax) return
      opened.delete(key)
      void entry.then((unused) => statistics.close(unused))
    }
  }

  return {
    async open(chunk: LeasedChunk, now: () => number): Promise<MessageSender> {
      const entry = await provide(chunk)
      const isUrgent = chunk.lane === 'transactional'
      const { workspaceNo } = chunk.message
      const message = messageToRender(chunk)
      const send = entry.render(message, now(), { isUrgent, workspaceNo })
      const apnsIdOf = apnsIdsOf(chunk.message.id)
      const { breaker, room } = entry
      const { isPersonal } = message
      const toRender = () => options.slices.room(workspaceNo)
      return {
        breaker,
        enter: () => room.enter(() => isPersonal && toRender() === 0),
        windowSize: () =>
          isPersonal ? Math.max(1, Math.min(toRender(), options.windowSize)) : options.windowSize,
        send({ token, deviceNo, environment, customer }, done) {
          send(
            { token, apnsId: apnsIdOf(deviceNo), environment, isUrgent },
            customer,
            (outcome) => {
              done(outcome)
              room.changed()
            },
          )
        },
      }
    },
    /** The breakers that do not let everything through now. */
    async openBreakers(): Promise<BreakerStanding[]> {
      const all = await Promise.all([...opened.values()].map((entry) => entry.catch(() => null)))
      return all.flatMap((entry) => {
        if (!entry) return []
        const { appNo, provider, breaker } = entry
        return breaker.heldBack().map((held) => ({ ...held, appNo, provider }))
      })
    },
    /** Lets everyone in who waits for room: this process is to end. */
    async openRooms() {
      for (const entry of opened.values()) (await entry).room.open()
    },
    async close() {
      const all = [...opened.values()]
      opened.clear()
      await Promise.allSettled(all.map(async (entry) => statistics.close(await entry)))
    },
    totals: () => statistics.totals(),
    states: () => statistics.states(),
  }
}

export type Senders = ReturnType<typeof createSenders>

async function openProvider(options: SendersOptions, chunk: LeasedChunk): Promise<Opened> {
  const credentials = await options.load(chunk.appNo, chunk.provider)
  const breaker = createLaneBreaker({
    firstMs: 1000,
    capMs: 60_000,
    now: options.now,
    random: options.random,
  })
  const version = chunk.credentialsVersion ?? 0
  const rendering =
    chunk.provider === 'apns' ? openApns(credentials, options) : openFcm(credentials, options)
  const room = createRoom(rendering.backlog, options.windowSize)
  const { appNo, provider, resumes } = chunk
  return { appNo, provider, version, resumes, breaker, room, ...rendering }
}

interface Rendering extends Pick<Opened, 'render' | 'pools' | 'accessToken' | 'close'> {
  backlog: () => number
}

function openApns(credentials: AppProvider | null, options: SendersOptions): Rendering {
  const parsed = parseApnsCredentials({
    ...credentials?.settings,
    privateKey: credentials?.secret,
  })
  if (parsed.kind === 'problem') return refusing(`credentials: ${parsed.path} ${parsed.message}`)
  const provider = createApnsProvider(parsed.credentials, options.endpoints, poolOf(options))
  const { topic } = parsed.credentials
  const sdkKeys = credentials?.sdkKeys ?? false
  return rendering(provider, options, {
    shared: (message) => renderApns({ ...message, sdkKeys }, topic),
    personal: (message) => personalApns({ ...message, sdkKeys }, topic, options.renderMs),
  })
}

function poolOf({ urgency }: SendersOptions) {
  return { pool: { urgency } }
}

function openFcm(credentials: AppProvider | null, options: SendersOptions): Rendering {
  const parsed = parseFcmCredentials(credentials?.secret)
  if (parsed.kind === 'problem') return refusing(`credentials: ${parsed.path} ${parsed.message}`)
  const provider = createFcmProvider(parsed.credentials, options.endpoints, poolOf(options))
  const sdkKeys = credentials?.sdkKeys ?? false
  return rendering(provider, options, {
    shared: (message, now) => renderFcm({ ...message, sdkKeys }, now),
    personal: (message, now) => personalFcm({ ...message, sdkKeys }, now, options.renderMs),
  })
}

function rendering<Push>(
  provider: PushProvider<Push>,
  options: SendersOptions,
  render: Renderers<Push>,
): Rendering {
  return {
    render(message, now, place) {
      if (message.isPersonal) {
        const personalise = once(() => render.personal(message, now))
        const rendered = { personalise, trigger: message.trigger ?? {} }
        return sendPersonal(provider, rendered, options.slices, place)
      }
      const push = render.shared(message, now)
      return (target, _customer, done) => provider.send(push, target, done)
    },
    pools: () => provider.stats(),
    accessToken: () => provider.accessToken(),
    backlog: () => provider.backlog(),
    close: () => provider.close(options.closeDeadlineMs),
  }
}

/** Stored credentials that cannot be read are a fault of configuration: the lane pauses. */
function refusing(reason: string): Rendering {
  return {
    render: () => (_target, _customer, done) => done({ kind: 'misconfigured', reason }),
    backlog: () => 0,
    pools: () => ({}),
    accessToken: () => null,
    close: async () => {},
  }
}

function messageToRender(chunk: LeasedChunk): ChunkToRender {
  const { id, content, personKeys, priority, collapseId, expiresAt, ttlSeconds } = chunk.message
  const isPersonal = personKeys !== null
  return { id, ...content, isPersonal, priority, collapseId, expiresAt, ttlSeconds }
}
