/** Whatever Node would refuse in a header's value; a name from a configuration or an upstream may hold anything. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/g;

/** A value that can be sent: what cannot is shown as `?`, for a missing answer would be worse than an ugly header. */
export function headerValue(text: string): string {
  return text.replace(UNSAFE, '?');
}
