/** Whatever Node would refuse in a header's value; a name from a configuration or an upstream may hold anything. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;
const ALL_UNSAFE = new RegExp(UNSAFE, 'g');

/** Headers that can be sent: what cannot is shown as `?`, for a missing answer would be worse than an ugly header. */
export function sendable(headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  // Almost always all of them can, and then there is nothing to copy.
  if (!Object.values(headers).some((value) => UNSAFE.test(value))) return headers;
  const safe = Object.entries(headers).map(([name, value]) => [name, value.replaceAll(ALL_UNSAFE, '?')]);
  return Object.fromEntries(safe);
}
