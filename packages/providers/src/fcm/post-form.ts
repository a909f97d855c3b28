import { request } from 'node:https'

const bodyBytesMax = 65_536

/**
 * Posts a form and reads the answer, within `timeoutMs` in all. Rejects with the error of the
 * connection, or with one whose `code` is TIMEOUT, TOO_LARGE or ABORT_ERR.
 */
export function postForm(
  to: { url: string; ca: string | undefined; timeoutMs: number; signal: AbortSignal },
  form: Record<string, string>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const body = new URLSearchParams(form).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    }
    const { ca, signal, timeoutMs } = to
    const outgoing = request(to.url, {
      method: 'POST',
      headers,
      agent: false,
      signal,
      ...(ca === undefined ? {} : { ca }),
    })
    const timer = setTimeout(() => outgoing.destroy(failure('TIMEOUT')), timeoutMs)
    outgoing.on('error', reject)
    outgoing.on('close', () => {
      clearTimeout(timer)
      reject(failure('ECONNRESET'))
    })
    outgoing.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', reject)
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > bodyBytesMax) outgoing.destroy(failure('TOO_LARGE'))
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    outgoing.end(body)
  })
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}
