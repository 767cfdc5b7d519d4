/**
 * Where a text can be cut without changing its token count. Both vocabularies first split a text by a regular expression
 * and then encode every part on its own; these are places where that split is certain from two neighbouring characters:
 *
 *     word|word: `the| cat`   letter|digit: `a|1`   letter|mark: `foo|(bar`   line|start: `x\n|y`
 *
 * Not before an apostrophe (`it's` is split there, `o'clock` is not) nor before a slash that follows a line end (marks
 * take both along). Beyond ASCII only CJK marks count: other scripts would need tables of their own.
 */
const LETTER = 0;
const DIGIT = 1;
const SPACE = 2;
const LINE_END = 3;
const MARK = 4;
const APOSTROPHE = 5;
const SLASH = 6;
const CJK_MARK = 7;
const OTHER = 8;

const CLASS_BITS = 4;
const ASCII_BITS = 7;
const ASCII_END = 1 << ASCII_BITS;

const ASCII = Uint8Array.from({ length: ASCII_END }, (_, code) => asciiClass(String.fromCharCode(code)));

const CUTS = cutTable();

/** Set in what `classAfter` gives where a text may be cut before the character. */
export const CUT = 1 << CLASS_BITS;

/** By class and ASCII character: its class, and whether a cut may come between them. One look-up for both. */
const AFTER = afterTable();

/** The class of one UTF-16 unit, as the first of a text. */
export function classOf(code: number): number {
  if (code < ASCII_END) return ASCII[code] as number;
  return isCjkMark(code) ? CJK_MARK : OTHER;
}

/** The class of the unit that follows one of class `before`, plus `CUT` if a text may be cut between them. */
export function classAfter(before: number, code: number): number {
  if (code < ASCII_END) return AFTER[(before << ASCII_BITS) | code] as number;
  return withCut(before, isCjkMark(code) ? CJK_MARK : OTHER);
}

/** The second half of a character outside the basic plane: never cut before it. */
export function isLowSurrogate(code: number): boolean {
  return (code & 0xfc00) === 0xdc00;
}

function asciiClass(char: string): number {
  if (/[A-Za-z]/.test(char)) return LETTER;
  if (/[0-9]/.test(char)) return DIGIT;
  if (/[\r\n]/.test(char)) return LINE_END;
  if (/\s/.test(char)) return SPACE;
  if (char === "'") return APOSTROPHE;
  return char === '/' ? SLASH : MARK;
}

function withCut(before: number, after: number): number {
  return CUTS[(before << CLASS_BITS) | after] === 1 ? after | CUT : after;
}

function afterTable(): Uint8Array {
  const table = new Uint8Array(1 << (CLASS_BITS + ASCII_BITS));
  for (let before = LETTER; before <= OTHER; before++) {
    for (let code = 0; code < ASCII_END; code++) {
      table[(before << ASCII_BITS) | code] = withCut(before, ASCII[code] as number);
    }
  }
  return table;
}

function isCjkMark(code: number): boolean {
  return (code > 0x3000 && code <= 0x3020) || (code >= 0xff01 && code <= 0xff0f) || (code >= 0xff1a && code <= 0xff20);
}

function cutTable(): Uint8Array {
  const table = new Uint8Array(1 << (2 * CLASS_BITS));
  const allow = (before: readonly number[], after: readonly number[]): void => {
    for (const first of before) for (const second of after) table[(first << CLASS_BITS) | second] = 1;
  };
  allow([LETTER, DIGIT, MARK, APOSTROPHE, SLASH, CJK_MARK, OTHER], [SPACE]);
  allow([LETTER, DIGIT], [LINE_END, MARK, SLASH, CJK_MARK]);
  allow([LINE_END], [LETTER, DIGIT, MARK, APOSTROPHE, CJK_MARK, OTHER]);
  allow([LETTER, MARK, APOSTROPHE, SLASH, CJK_MARK], [DIGIT]);
  allow([DIGIT], [LETTER]);
  allow([OTHER], [CJK_MARK]);
  return table;
}
