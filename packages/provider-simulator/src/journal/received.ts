import { type ReceivedCount, repeatKey } from './accounting.ts'
import { type ProviderName, REPEAT_BY, type RepeatBy } from './arrival.ts'
import type { Entry, Journal, Place } from './journal.ts'
import type { Ledger } from './ledger.ts'
import { BODY, ID, MESSAGE_ID, TOKEN } from './slab.ts'

/** Which entries are meant; all given conditions must hold. */
export interface Filter {
  provider?: ProviderName | undefined
  token?: string | undefined
  apns_id?: string | undefined
  message_id?: string | undefined
}

/** One request as the admin API tells it. */
export interface ReceivedEntry {
  seq: number
  /** Ms since the epoch. */
  at: number
  provider: ProviderName
  environment: 'production' | 'sandbox' | null
  token: string
  apns_id: string | null
  /** FCM: the last part of the message name in the answer. */
  name: string | null
  message_id: string | null
  collapse_id: string | null
  /** 0 where no answer was sent on purpose. */
  status: number
  reason: string | null
  accepted: boolean
  answer_lost: boolean
  topic: string | null
  push_type: string | null
  connection: number
  payload?: unknown
}

/** One push that was accepted more than once. */
export interface Duplicate {
  provider: ProviderName
  token: string
  by: 'apns_id' | 'collapse_id' | 'message_id'
  key: string
  /** How often it was accepted, as far as the journal still has it; null in `count` mode. */
  accepted: number | null
  /** In how many of these the answer was lost on purpose. */
  answers_lost: number | null
  seqs: number[]
}

/** The entries after `after` that meet the filter, oldest first, at most `limit`. */
export function listReceived(
  journal: Journal,
  query: Filter & { after: number; limit: number; payload: boolean },
): ReceivedEntry[] {
  const listed: ReceivedEntry[] = []
  for (const place of matching(journal, query, query.after)) {
    if (listed.length >= query.limit) break
    listed.push(received(journal.read(place), query.payload))
  }
  return listed
}

/** Counts what meets the filter by walking the journal. */
export function countReceived(journal: Journal, filter: Filter): ReceivedCount {
  const count: ReceivedCount = { requests: 0, accepted: 0, distinct_tokens: 0, duplicates: 0 }
  const tokens = new Set<string>()
  const pairs = new Set<string>()
  for (const place of matching(journal, filter, 0)) {
    const entry = journal.read(place)
    count.requests += 1
    if (!entry.accepted) continue
    count.accepted += 1
    if (entry.token === '') continue
    tokens.add(entry.token)
    if (entry.repeatBy === REPEAT_BY.nothing) continue
    const pair = JSON.stringify([entry.token, repeatKey(entry)])
    if (pairs.has(pair)) count.duplicates += 1
    pairs.add(pair)
  }
  return { ...count, distinct_tokens: tokens.size }
}

/** Every push accepted more than once, with the entries that say so where they are still kept. */
export function listDuplicates(ledger: Ledger): Duplicate[] {
  const found = new Map<string, Duplicate>()
  for (const account of [ledger.accounts.apns, ledger.accounts.fcm]) {
    for (const { provider, token, by, key } of account.repeats) {
      found.set(JSON.stringify([provider, token, key]), {
        ...{ provider, token, by: repeatName(by), key },
        ...{ accepted: null, answers_lost: null, seqs: [] },
      })
    }
  }
  if (found.size > 0 && ledger.journal !== null) fillIn(found, ledger.journal)
  return [...found.values()]
}

function fillIn(found: Map<string, Duplicate>, journal: Journal): void {
  for (const place of journal.places()) {
    const entry = journal.read(place)
    if (!entry.accepted) continue
    const pair = JSON.stringify([entry.source.provider, entry.token, repeatKey(entry)])
    const duplicate = found.get(pair)
    if (duplicate === undefined) continue
    duplicate.accepted = (duplicate.accepted ?? 0) + 1
    duplicate.answers_lost = (duplicate.answers_lost ?? 0) + (entry.lost ? 1 : 0)
    duplicate.seqs.push(entry.seq)
  }
}

function* matching(journal: Journal, filter: Filter, after: number): Generator<Place> {
  const token = filter.token === undefined ? null : Buffer.from(filter.token)
  const apnsId = filter.apns_id === undefined ? null : Buffer.from(filter.apns_id)
  for (const place of journal.places(after)) {
    const { segment, index } = place
    if (token !== null && !segment.reads(index, TOKEN, token)) continue
    if (apnsId !== null && !segment.reads(index, ID, apnsId)) continue
    if (filter.message_id !== undefined && messageIdAt(place) !== filter.message_id) continue
    if (filter.provider !== undefined && providerAt(place) !== filter.provider) continue
    if (apnsId !== null && providerAt(place) !== 'apns') continue
    yield place
  }
}

function providerAt({ segment, index }: Place): ProviderName {
  return segment.source[index] === 2 ? 'fcm' : 'apns'
}

function messageIdAt({ segment, index }: Place): string | null {
  return segment.text(index, MESSAGE_ID) || payloadMessageId(parsed(segment.text(index, BODY)))
}

function received(entry: Entry, withPayload: boolean): ReceivedEntry {
  const { provider, environment } = entry.source
  return {
    seq: entry.seq,
    at: entry.at,
    provider,
    environment,
    token: entry.token,
    apns_id: provider === 'apns' ? entry.id || null : null,
    name: provider === 'fcm' ? entry.id || null : null,
    message_id: entry.messageId || payloadMessageId(parsed(entry.body)),
    collapse_id: entry.collapseId || null,
    status: entry.status,
    reason: entry.reason || null,
    accepted: entry.accepted,
    answer_lost: entry.lost,
    topic: entry.topic || null,
    push_type: entry.pushType || null,
    connection: entry.connection,
    ...(withPayload ? { payload: parsed(entry.body) } : {}),
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/** APNs payloads carry it at the top, beside `aps`. */
function payloadMessageId(payload: unknown): string | null {
  if (typeof payload !== 'object' || payload === null) return null
  const id = 'pushkeep_message_id' in payload ? payload.pushkeep_message_id : null
  return typeof id === 'string' ? id : null
}

function repeatName(by: RepeatBy): Duplicate['by'] {
  if (by === REPEAT_BY.apnsId) return 'apns_id'
  return by === REPEAT_BY.collapseId ? 'collapse_id' : 'message_id'
}
