/** Texts of every kind for tests and benchmarks: made up, alike from run to run, and varied enough not to repeat. */

export type Random = () => number;

/** Uniform in [0, 1), the same sequence for the same seed. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ENGLISH =
  `the of and to a in that is was for it with as his on be at by had this not but from have are which or an they were her all their one
  there been would when who will more no if out so said what up its about into than them can only other new some could time these two may then
  do first any my now such like our over man me even most made after also did many before must through back years where much your way well down
  should because each just those people how too little state good very make world still own see men work long get here between both life being
  under never day same another know while last might us great old year off come since against go came right used take three harbour lantern
  negotiation quarterly photosynthesis bureaucracy unexpectedly temperature willingness archaeology merchants telescope orchestra refrigerator
  infrastructure hypothesis stubbornly glacier parliament`.split(/\s+/);

const CHINESE =
  '我们 可以 今天 天气 非常 经济 发展 技术 问题 研究 表明 城市 人口 增长 环境 保护 系统 设计 需要 考虑 安全 性能 用户 数据 模型 训练 学习 方法 如果 没有 足够 时间 就 应该 重新 安排 工作 计划 关于 历史 文化 传统 影响 年轻 一代 观念 变化 他 说 这个 决定 不是 容易 做出 的 但是 最终 大家 都 同意 了 鱼 蝴蝶 森林 雪山 寺庙 钟声 慢慢 消失 在 远处'.split(
    ' ',
  );

const ARABIC =
  'في من على إلى أن هذا التي كان الذي بين بعد عند كل قد لم يكن أكثر مدينة الناس العمل الوقت الحياة العالم السلام الكتاب المدرسة الطالب يدرس التاريخ العلوم الاقتصاد السياسة الحكومة المستقبل القديم الجديد كبير صغير جميل الشمس القمر البحر الصحراء النخيل المسافر يصل متأخرا لأن الطريق طويل ومتعب'.split(
    ' ',
  );

const EMOJI = [
  ...'😀😂🥰😎🤔😭🙏👍🔥🎉❤✨🚀🌍🌈🍕🍣☕🎸⚽🏆🐱🐶🦄🌸🌵🍁⏰📦📈💡🔒🔑🧩🛠🧪🧠🦾👀💬',
  '👨‍👩‍👧',
  '👩🏽‍💻',
  '🇩🇪',
  '🇯🇵',
];

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A word by Zipf's law: the first are far commoner. */
function word(random: Random, words: readonly string[]): string {
  return words[Math.floor(words.length * random() ** 2)] ?? '';
}

function english(random: Random): string {
  const length = 4 + Math.floor(random() * 18);
  const words = Array.from({ length }, () => word(random, ENGLISH));
  const first = words[0] ?? '';
  words[0] = first.charAt(0).toUpperCase() + first.slice(1);
  return `${words.join(random() < 0.3 ? ', ' : ' ')}${random() < 0.2 ? '.\n\n' : '. '}`;
}

function chinese(random: Random): string {
  const length = 3 + Math.floor(random() * 7);
  return `${Array.from({ length }, () => word(random, CHINESE)).join('')}${random() < 0.4 ? '。' : '，'}`;
}

function arabic(random: Random): string {
  return `${Array.from({ length: 5 + Math.floor(random() * 9) }, () => word(random, ARABIC)).join(' ')}${random() < 0.5 ? '، ' : '. '}`;
}

function emoji(random: Random): string {
  return `${Array.from({ length: 1 + Math.floor(random() * 12) }, () => EMOJI[Math.floor(random() * EMOJI.length)]).join('')} `;
}

function code(random: Random): string {
  const name = () => {
    const second = word(random, ENGLISH);
    return word(random, ENGLISH) + second.charAt(0).toUpperCase() + second.slice(1);
  };
  const lines = [
    () => `export function ${name()}(${name()}: string, index: number): boolean {\n`,
    () => `  const ${name()} = await this.${name()}.${name()}(${Math.floor(random() * 1000)});\n`,
    () => `    if (${name()} === null || ${name()}.length > ${Math.floor(random() * 64)}) return false;\n`,
    () => `  // ${english(random).trim()}\n`,
    () => `    for (let i = 0; i < ${name()}.length; i++) {\n      total += ${name()}[i] ?? 0;\n    }\n`,
    () => '}\n\n',
  ];
  return lines[Math.floor(random() * lines.length)]?.() ?? '';
}

function json(random: Random): string {
  const key = () => word(random, ENGLISH);
  return `{"id":"${Math.floor(random() * 2 ** 40).toString(16)}","${key()}":${Math.floor(random() * 1e6) / 100},"${key()}_${key()}":["${key()}","${key()}"],"${key()}":{"${key()}":${random() < 0.5},"note":"${english(random).trim()}"}},`;
}

function base64(random: Random): string {
  return Array.from({ length: 76 }, () => BASE64[Math.floor(random() * 64)]).join('');
}

const MAKERS = { english, chinese, arabic, emoji, code, json, base64 } as const;

export type Kind = keyof typeof MAKERS;
export const KINDS = Object.keys(MAKERS) as Kind[];

/** At least `chars` characters of a kind. */
export function textOf(kind: Kind, chars: number, seed = 1): string {
  const random = seeded(seed);
  const parts: string[] = [];
  for (let length = 0; length < chars; ) {
    const part = MAKERS[kind](random);
    parts.push(part);
    length += part.length;
  }
  return parts.join('');
}

/** Characters for one LLM token, about: to ask for a text of so many tokens. */
export const CHARS_PER_TOKEN: Readonly<Record<Kind, number>> = {
  english: 4.5,
  chinese: 1.5,
  arabic: 3.5,
  emoji: 0.9,
  code: 4,
  json: 3,
  base64: 1.4,
};

/** Tool definitions with parameters nested `depth` deep. */
export function nestedTools(count: number, seed = 1): unknown[] {
  const random = seeded(seed);
  const schema = (depth: number): unknown =>
    depth === 0
      ? { type: 'string', description: english(random).trim() }
      : {
          type: 'object',
          properties: Object.fromEntries(
            Array.from({ length: 3 }, (_, index) => [`${word(random, ENGLISH)}_${index}`, schema(depth - 1)]),
          ),
          required: ['id'],
          additionalProperties: false,
        };
  return Array.from({ length: count }, (_, index) => ({
    type: 'function',
    function: { name: `tool_${index}`, description: english(random).trim(), parameters: schema(3) },
  }));
}
