import type { UpstreamHeaders } from '../../upstream/transport.ts';

/** A header's value; the first one of several. */
export function headerOf(headers: UpstreamHeaders, name: string): string | null {
  const value = headers[name];
  return (typeof value === 'string' ? value : value?.[0]) ?? null;
}
