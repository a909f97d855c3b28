import type {
  AppList,
  AuditList,
  DeliveryList,
  KeyList,
  Message,
  MessageList,
  Overview,
  PeopleFound,
  Person,
  Session,
  Timeline,
  Why,
} from '@pushkeep/console-api'
import {
  type QueryClient,
  type QueryKey,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { ApiError, call, setCsrfToken } from './client.ts'
import { type LiveState, useLive } from './live.ts'

const path = (...parts: string[]) => parts.map(encodeURIComponent).join('/')

/** Who is signed in; null: nobody. */
export function useSession() {
  return useQuery({
    queryKey: ['session'],
    queryFn: async (): Promise<Session | null> => {
      try {
        const session = await call<Session>('GET', 'session')
        setCsrfToken(session.csrf_token)
        return session
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null
        throw error
      }
    },
    staleTime: 60_000,
  })
}

/** A query that events keep up to date. */
function useLiveQuery<Answer>(queryKey: QueryKey, plain: string, live: string) {
  const state: LiveState = useLive(live, queryKey)
  const query = useQuery({
    queryKey,
    queryFn: () => call<Answer>('GET', plain),
    // Where events do not come, it is asked for.
    refetchInterval: state === 'live' || state === 'off' ? false : 10_000,
  })
  return { ...query, live: state }
}

export function useOverview() {
  return useLiveQuery<Overview>(['overview'], 'overview', 'live/overview')
}

/** Asks for the overview before it is known who is signed in: two answers in the time of one. */
export function prefetchOverview(client: QueryClient): void {
  void client.prefetchQuery({
    queryKey: ['overview'],
    queryFn: () => call<Overview>('GET', 'overview'),
  })
}

export function useMessage(id: string) {
  const plain = path('messages', id)
  return useLiveQuery<Message>(['message', id], plain, `live/${plain}`)
}

/** Broadcasts and long lists alone, or those that wait for their time. */
export type Only = 'bulk' | 'scheduled' | null

/** Messages, newest first, page by page. */
export function useMessages(only: Only) {
  return useInfiniteQuery({
    queryKey: ['messages', only],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams()
      if (only) query.set('only', only)
      if (pageParam) query.set('before', pageParam)
      return call<MessageList>('GET', `messages?${query}`)
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state }) => (state.data?.pages.length === 1 ? 5000 : false),
  })
}

/** Deliveries of a message that stand so, page by page. */
export function useDeliveries(id: string, status: string, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ['deliveries', id, status],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams()
      if (status) query.set('status', status)
      if (pageParam) query.set('after', pageParam)
      return call<DeliveryList>('GET', `${path('messages', id)}/deliveries?${query}`)
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    enabled,
  })
}

export function usePeopleSearch(text: string) {
  return useQuery({
    queryKey: ['people', text],
    queryFn: () => call<PeopleFound>('POST', 'people/search', { text }),
    placeholderData: (before) => before,
  })
}

export function usePerson(id: string) {
  return useQuery({
    queryKey: ['person', id],
    queryFn: () => call<Person>('GET', path('people', id)),
    refetchInterval: 10_000,
  })
}

/** What became of a message at each device of a person; asked once a message is named. */
export function useWhy(personId: string, messageId: string) {
  return useQuery({
    queryKey: ['why', personId, messageId],
    queryFn: () => call<Why>('GET', path('people', personId, 'why', messageId)),
    enabled: messageId !== '',
    // Until each device has its outcome it may come any moment.
    refetchInterval: ({ state }) => (isSettled(state.data) ? 10_000 : 700),
  })
}

function isSettled(why: Why | undefined): boolean {
  return (why?.devices ?? []).every(
    ({ trace }) =>
      (trace.kind === 'delivery' && trace.status !== 'pending') ||
      (trace.kind === 'absent' && trace.why !== 'not_planned_yet'),
  )
}

export function useTimeline(appId: string, fingerprint: string, enabled: boolean) {
  return useQuery({
    queryKey: ['timeline', appId, fingerprint],
    queryFn: () => call<Timeline>('GET', path('apps', appId, 'devices', fingerprint, 'timeline')),
    enabled,
  })
}

export function useApps() {
  return useQuery({
    queryKey: ['apps'],
    queryFn: () => call<AppList>('GET', 'apps'),
    // A check or a replacement under way is seen to its end.
    refetchInterval: ({ state }) => (isTaskOpen(state.data) ? 700 : 10_000),
  })
}

function isTaskOpen(list: AppList | undefined): boolean {
  return (list?.apps ?? []).some(({ providers }) =>
    providers.some(({ last_task }) => last_task && last_task.finished_at === null),
  )
}

export function useKeys() {
  return useQuery({ queryKey: ['keys'], queryFn: () => call<KeyList>('GET', 'keys') })
}

export function useAudit() {
  return useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) =>
      call<AuditList>('GET', pageParam === null ? 'audit' : `audit?before=${pageParam}`),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next,
  })
}

/** A change; what it may have changed is read again. */
export function useChange<Input, Answer>(
  make: (input: Input) => Promise<Answer>,
  stale: readonly QueryKey[],
) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: make,
    onSettled: () => Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey }))),
  })
}
