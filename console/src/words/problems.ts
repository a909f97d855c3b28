import type { Problem } from '@pushkeep/console-api'
import { count, day, duration, percent } from '../ui/format.ts'
import { explainReason } from './reasons.ts'

export interface ProblemWords {
  title: string
  means: string
  todo: string
}

/** What an app is called. */
export type NameOfApp = (id: string) => string

const providerNames = { apns: 'Apple (APNs)', fcm: 'Google (FCM)' }

export function providerName(provider: keyof typeof providerNames): string {
  return providerNames[provider]
}

/** A problem in words: what it is, what it means, what to do. */
export function problemWords(problem: Problem, nameOf: NameOfApp): ProblemWords {
  const lane = 'provider' in problem ? laneName(problem, nameOf) : ''
  switch (problem.kind) {
    case 'workers_gone':
      return {
        title: 'No worker is running',
        means: 'Messages are accepted and wait; nothing is sent.',
        todo: 'Start the workers, and look at the end of their log.',
      }
    case 'worker_missed':
      return {
        title: `${count(problem.missed, 'worker process', 'worker processes')} ended without a word`,
        means: 'The others go on with its work; less is sent at a time.',
        todo: 'Was it killed, or did it run out of memory? Its log tells.',
      }
    case 'queue_unreachable':
      return {
        title: 'The queues’ server cannot be reached',
        means: 'Messages are accepted and safe; nothing new is sent until it is back.',
        todo: 'Look at Redis, or at PostgreSQL where the queues are there.',
      }
    case 'lane_paused':
      return pausedWords(problem, lane)
    case 'mass_bounce_guard':
      return {
        title: `${lane} retires no token: many people’s tokens seem to die at once`,
        means: `${capital(problem.reason)}. Pushes go on, and no token is retired until you decide.`,
        todo: 'A fault of key, topic or environment? Undo it. An old list? Keep the bounces.',
      }
    case 'breaker_open':
      return {
        title: `${lane} does not serve`,
        means: `Sending is held back and tried again by itself.${said(problem.trouble)}`,
        todo: 'If it lasts: is there an incident at the provider, or a fault of the network?',
      }
    case 'message_held':
      return {
        title: `${lane} refuses the pushes of one message`,
        means: 'That message is held back and tried again by itself. Others are sent.',
        todo: `Look at message ${problem.message_id}, and cancel it if its content is at fault.`,
      }
    case 'errors_high':
      return {
        title: `${lane}: ${percent(problem.share)} of calls fail`,
        means: `They are tried again until the messages expire.${said(problem.trouble)}`,
        todo: 'If it lasts: is there an incident at the provider, or a fault of the network?',
      }
    case 'bounces_high':
      return {
        title: `${lane}: ${percent(problem.share)} of tokens are dead`,
        means: 'More than usual, where lists are kept clean.',
        todo: 'Was an old list imported, or has the app been released with another bundle id?',
      }
    case 'backlog_old':
      return {
        title: `${lane}: ${problem.lane === 'bulk' ? 'a broadcast has' : 'messages have'} waited for ${duration(problem.seconds)}`,
        means: 'More is accepted than is sent.',
        todo: 'Run more processes of workers, or look whether the provider is slow.',
      }
    case 'planning_late':
      return {
        title: `A message has waited ${duration(problem.seconds)} for its audience to be made out`,
        means: 'Nothing of it is sent until then.',
        todo: 'Do the workers run, and does the queue “plan” have failed jobs?',
      }
    case 'credentials_expire':
      return {
        title: `${lane}: the credentials ${problem.severity === 'fault' ? 'have ended' : 'end'} on ${day(problem.expires_at)}`,
        means: 'Nothing can be sent without valid ones.',
        todo: 'Replace them on the Apps page.',
      }
    case 'no_credentials':
      return {
        title: `${nameOf(problem.app_id)} has no credentials`,
        means: 'Nothing can be sent to its devices.',
        todo: 'Add what Apple or Google issued, on the Apps page.',
      }
  }
}

function pausedWords(
  problem: Extract<Problem, { kind: 'lane_paused' }>,
  lane: string,
): ProblemWords {
  return {
    title: `${lane} is paused: ${problem.reason}`,
    means: `${explainReason(problem.reason).means} Pushes wait, and no token is lost.`,
    todo: 'Correct the credentials on the Apps page, then resume.',
  }
}

function laneName(problem: Extract<Problem, { provider: unknown }>, nameOf: NameOfApp): string {
  return `${nameOf(problem.app_id)}, ${providerName(problem.provider)}`
}

function said(trouble: string | null): string {
  return trouble === null ? '' : ` It last said “${trouble}”.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
