/** A command that posts a body, for people to try. */
export function curlExample(url: string, keyHeader: string, body: object): string {
  return [
    `curl ${url} -H '${keyHeader}' -H 'content-type: application/json' \\`,
    `    -d '${JSON.stringify(body)}'`,
  ].join('\n');
}
