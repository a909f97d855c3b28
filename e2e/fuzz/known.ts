import type { Random } from '../random.ts'

export interface Phone {
  platform: 'ios' | 'android'
  token: string
  person: string
}

/** What the installation under test has, so that a request can name something that is there. */
export interface Known {
  appId: string
  secretKey: string
  publicKey: string
  phones: Phone[]
  /** Ids of messages. */
  messages: string[]
}

export function newPhone(random: Random, number: number): Phone {
  const platform = number % 2 === 0 ? 'ios' : 'android'
  return { platform, token: newToken(random, platform), person: `person-${number}` }
}

export function newToken(random: Random, platform: Phone['platform']): string {
  return platform === 'ios' ? random.hex(64) : `${random.word(22)}:APA91b${random.word(120)}`
}
