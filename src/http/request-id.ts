/** What a client's own request id may look like: it ends up in headers and logs. */
const SANE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The client's own id where it is sane, else a new one. */
export function requestId(own: string | string[] | undefined, randomId: () => string): string {
  return typeof own === 'string' && SANE_ID.test(own) ? own : `req_${randomId()}`;
}
