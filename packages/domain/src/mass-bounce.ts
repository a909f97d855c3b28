/** How the mass-bounce guard judges (R10). Shares are of 1. */
export interface GuardSettings {
  /** A share of dead verdicts within a minute up to which nothing is wrong. */
  shareMax: number
  /** And up to so many times the usual share. */
  timesUsualMax: number
  /** What counts as usual at least, and where nothing is known yet. */
  usualMin: number
  /** Fewer verdicts than these within the minute prove nothing. */
  judgedMin: number
}

export const guardDefaults: GuardSettings = {
  shareMax: 0.2,
  timesUsualMax: 5,
  usualMin: 0.05,
  judgedMin: 500,
}

/** An app's verdicts by one provider within a minute. */
export interface MinuteOfVerdicts {
  judged: number
  dead: number
  /** The share of the week before; null where too little is known. */
  usualShare: number | null
}

/**
 * Whether so many tokens are found dead at once that the key, the topic or the provider is at fault
 * rather than the tokens.
 */
export function isMassBounce(minute: MinuteOfVerdicts, settings = guardDefaults): boolean {
  if (minute.judged < settings.judgedMin) return false
  const usual = Math.max(minute.usualShare ?? 0, settings.usualMin)
  const share = minute.dead / minute.judged
  return share > settings.shareMax && share > settings.timesUsualMax * usual
}

/** Why a lane was paused, in words for whoever is on call. */
export function massBounceReason({ judged, dead, usualShare }: MinuteOfVerdicts): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const usual = usualShare === null ? 'unknown' : percent(usualShare)
  return `mass bounce: ${percent(dead / judged)} of ${judged} tokens were reported dead within a minute (usual: ${usual})`
}
