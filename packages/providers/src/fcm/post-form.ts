import { request } from 'node:https'

const bodyBytesMax = 65_536

export interface FormRequest {
  /** Full https URL, and PEM of the one authority to trust instead of the public roots. */
  url: string
  ca: string | undefined
  form: Record<string, string>
  /** Ends the request and the reading of its answer. */
  signal: AbortSignal
}

/**
 * Posts a form and reads the answer. Rejects with an error whose `code` tells why there is none:
 * that of the connection, ABORT_ERR, or ERR_BODY_TOO_LARGE.
 */
export function postForm(options: FormRequest): Promise<{ status: number; body: string }> {
  const { url, ca, form, signal } = options
  const text = new URLSearchParams(form).toString()
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(text),
  }
  return new Promise((resolve, reject) => {
    const trust = ca === undefined ? {} : { ca }
    // Once in an hour: a connection kept open would be closed by the time of the next one.
    const outgoing = request(url, { method: 'POST', headers, signal, agent: false, ...trust })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('error', reject)
      incoming.on('data', (chunk: string) => {
        body += chunk
        if (body.length > bodyBytesMax) outgoing.destroy(tooLarge())
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body }))
    })
    outgoing.end(text)
  })
}

function tooLarge(): Error {
  return Object.assign(new Error('the answer is too large'), { code: 'ERR_BODY_TOO_LARGE' })
}
