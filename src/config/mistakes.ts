/** Keys and list indexes from the root of the file: `['models', 0, 'name']`. */
export type Path = readonly (string | number)[];

/** One thing that somebody must change in the configuration. */
export interface Mistake {
  /** As people write it: `models[0].targets[1].provider`; empty for the file as a whole. */
  readonly path: string;
  /** Says what to change. Never a value that may be a secret. */
  readonly message: string;
  /** From 1; null where there is no text, as in a configuration made from the environment. */
  readonly line: number | null;
  readonly column: number | null;
}

/** A mistake before its place in the text is known. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** The key is wrong rather than its value, so the place is the key's. */
  readonly isAboutKey?: boolean;
}

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const LONGEST_QUOTE = 64;

/** Long random words and the known beginnings of credentials. A name in a configuration is neither. */
const LIKE_A_SECRET =
  /^(?:sk|gsk|xai|pplx|csk|tgp|fw|key|AIza|Bearer)[-_ ]?[A-Za-z0-9_-]{16,}$|^[A-Za-z0-9+/=_-]{40,}$/;

/** `"opnai"`, or `this text` when it might be a credential that stands in the wrong place. */
export function quote(text: string): string {
  const isSafe = text.length <= LONGEST_QUOTE && !LIKE_A_SECRET.test(text);
  return isSafe ? JSON.stringify(text) : 'this text';
}

export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!PLAIN_KEY.test(step) || LIKE_A_SECRET.test(step)) text += `[${quote(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** `config.yaml:12:7 models[0].name: is missing`. */
export function formatMistake(mistake: Mistake, fileName: string): string {
  const place = mistake.line === null ? fileName : `${fileName}:${mistake.line}:${mistake.column}`;
  return mistake.path === '' ? `${place} ${mistake.message}` : `${place} ${mistake.path}: ${mistake.message}`;
}
