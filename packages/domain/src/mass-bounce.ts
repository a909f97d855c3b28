/** From so many people on, this share of dead verdicts is too much. Shares are of 1. */
export interface GuardGrade {
  /** People that were judged: accepted, or with an accepted token that is dead now. */
  judgedMin: number
  shareMax: number
}

/** How the mass-bounce guard judges (R10). */
export interface GuardSettings {
  /** The fewer people, the more of them have to be found dead: a small app is protected, too. */
  grades: readonly GuardGrade[]
  /** And more than so many times the usual share. */
  timesUsualMax: number
  /** What counts as usual at least, and where nothing is known yet. */
  usualMin: number
}

export const guardDefaults: GuardSettings = {
  grades: [
    { judgedMin: 500, shareMax: 0.2 },
    { judgedMin: 100, shareMax: 0.5 },
    { judgedMin: 20, shareMax: 0.9 },
  ],
  timesUsualMax: 5,
  usualMin: 0.05,
}

/**
 * What an app's provider said of people within a while: how many were judged, and of how many a token was found
 * dead that had been accepted before. A token that never worked proves nothing about the key.
 */
export interface Verdicts {
  judged: number
  dead: number
}

/** The verdicts of this minute and of the last hour, which has the minute. */
export interface RecentVerdicts {
  minute: Verdicts
  hour: Verdicts
  /** The share of the week before; null where too little is known. */
  usualShare: number | null
}

/** Verdicts that prove a mass bounce. */
export interface MassBounce extends Verdicts {
  within: 'minute' | 'hour'
}

/**
 * The verdicts by which so many people are found dead at once that the key, the topic or the provider is at fault
 * rather than their tokens; null: there are none. The hour is for apps that send too little in a minute.
 */
export function massBounceIn(
  { minute, hour, usualShare }: RecentVerdicts,
  settings = guardDefaults,
): MassBounce | null {
  if (isMassBounce(minute, usualShare, settings)) return { ...minute, within: 'minute' }
  if (isMassBounce(hour, usualShare, settings)) return { ...hour, within: 'hour' }
  return null
}

function isMassBounce(
  { judged, dead }: Verdicts,
  usualShare: number | null,
  { grades, timesUsualMax, usualMin }: GuardSettings,
): boolean {
  const grade = grades.find(({ judgedMin }) => judged >= judgedMin)
  if (grade === undefined) return false
  const share = dead / judged
  return share > grade.shareMax && share > timesUsualMax * Math.max(usualShare ?? 0, usualMin)
}

/**
 * Whether so few people prove it that what is still on its way may say otherwise: a broadcast begins with the
 * oldest devices, which are the first to be dead.
 */
export function isFewForMassBounce({ judged }: MassBounce, settings = guardDefaults): boolean {
  return judged < (settings.grades[0]?.judgedMin ?? 0)
}

/** Why the guard tripped, in words for the operator on call. */
export function massBounceReason(
  { judged, dead, within }: MassBounce,
  usualShare: number | null,
): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const usual = usualShare === null ? 'unknown' : percent(usualShare)
  const span = within === 'minute' ? 'a minute' : 'an hour'
  return `mass bounce: tokens of ${percent(dead / judged)} of ${judged} people were reported dead within ${span} (usual: ${usual})`
}
