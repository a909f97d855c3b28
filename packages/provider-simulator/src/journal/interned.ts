const MAX = 65_535

/** Few different short texts (reasons, topics), each kept once and known by a number. */
export class Interned {
  readonly #texts: string[] = ['']
  readonly #codes = new Map<string, number>([['', 0]])
  #lastText = ''
  #lastCode = 0

  /** Past 65,535 different texts a new one is kept as empty. */
  code(text: string): number {
    if (text === this.#lastText) return this.#lastCode
    let code = this.#codes.get(text)
    if (code === undefined) {
      if (this.#texts.length > MAX) return 0
      code = this.#texts.push(text) - 1
      this.#codes.set(text, code)
    }
    this.#lastText = text
    this.#lastCode = code
    return code
  }

  text(code: number): string {
    return this.#texts[code] ?? ''
  }
}
