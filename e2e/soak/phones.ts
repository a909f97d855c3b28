import { newToken } from '../fuzz/known.ts'
import type { Random } from '../random.ts'

/** One installation of the app, as the outside world knows it. */
export interface Phone {
  installation: string
  platform: 'ios' | 'android'
  token: string
  person: string | null
  /** The provider calls its token dead; the app gets a new one when it next registers. */
  isDead: boolean
  /** A call about it is under way: its calls come one after the other. */
  isBusy: boolean
}

/** A population of constant size. */
export class Phones {
  readonly all: Phone[]
  readonly #random: Random
  #made = 0

  constructor(count: number, random: Random) {
    this.#random = random
    this.all = Array.from({ length: count }, () => this.#make())
  }

  /** Any phone that nobody else is calling about. */
  pick(): Phone {
    for (;;) {
      const phone = this.#random.pick(this.all)
      if (!phone.isBusy) return phone
    }
  }

  token(platform: Phone['platform']): string {
    return newToken(this.#random, platform)
  }

  /** Some person who is there. */
  anybody(): string {
    return `person-${this.#random.int(0, this.#made - 1)}`
  }

  /** Another phone in the place of one that was given away. */
  replace(old: Phone): Phone {
    const phone = this.#make()
    const index = this.all.indexOf(old)
    this.all[index] = phone
    return phone
  }

  #make(): Phone {
    const number = this.#made
    this.#made += 1
    const platform = number % 2 === 0 ? 'ios' : 'android'
    return {
      installation: `installation-${number}`,
      platform,
      token: this.token(platform),
      person: `person-${number}`,
      isDead: false,
      isBusy: false,
    }
  }
}
