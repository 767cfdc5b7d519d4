import { type LevelWithSilent, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Scrub } from '../scrub.ts';

export interface LogSettings {
  readonly level: LevelWithSilent;
  /** `pretty` is for eyes, `json` is one object a line. */
  readonly format: 'json' | 'pretty';
  readonly hasColors: boolean;
}

/** Where lines go: standard output, or a test's array. */
export interface LogDestination {
  write(line: string): void;
}

/**
 * Makes the program's logger. No line leaves it with a secret in it, at any level: each is scrubbed when it is finished.
 * Text of clients and upstreams belongs into fields, where it is escaped, never into the message.
 * @param scrub takes every configured key out of a line of JSON
 */
export function createLogger(settings: LogSettings, destination: LogDestination, scrub: Scrub): Logger {
  const options = {
    level: settings.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.err },
    hooks: { streamWrite: (line: string) => visible(scrub(line)) },
  };
  if (settings.format === 'json') return pino(options, destination);
  // In this thread: a worker would lose the last lines of a process that ends.
  const prettify = prettyFactory({
    colorize: settings.hasColors,
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: ['error'],
    singleLine: true,
  });
  return pino(options, { write: (line) => destination.write(prettify(withoutNulls(line))) });
}

/** A program wants every field in every line, a person only those that say something. */
function withoutNulls(line: string): object {
  return JSON.parse(line, (_key, value: unknown) => {
    if (typeof value === 'string') return visible(value);
    return value === null ? undefined : value;
  });
}

/**
 * What moves a terminal's cursor or turns its text around: a client may call a model so. JSON escapes what is below a
 * space, though not for whoever parses it; a tab and a line feed are good in both.
 */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Almost every line has none of these, and is spared the closer look. */
const BEYOND_PLAIN = /[^\t\n -~]/;

/** Shows such characters by their code, as JSON does. */
function visible(text: string): string {
  if (!BEYOND_PLAIN.test(text)) return text;
  return text.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
