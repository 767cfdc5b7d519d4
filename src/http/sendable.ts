/** Whatever Node would refuse in a header's value; a name from a configuration or an upstream may hold anything. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/g;

/** Headers that can be sent: what cannot is shown as `?`, for a missing answer would be worse than an ugly header. */
export function sendable(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const safe = Object.entries(headers).map(([name, value]) => [name, value.replace(UNSAFE, '?')]);
  return Object.fromEntries(safe);
}
