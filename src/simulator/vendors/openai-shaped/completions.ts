import type { Answer, AnswerWriter, Spot, Usage } from '../../api/answer.ts';
import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { PLAIN_REQUEST } from '../../api/model-request.ts';
import type { Endpoint } from '../../api/vendor-api.ts';
import { textOf } from '../../compose-answer.ts';
import { asObject, asText, isCount, type Json, numberOf } from '../../json.ts';

/** As long as an answer is when nobody says how long. */
const USUAL_CAP = 16;
const MOST_CHOICES = 128;

/** The older kind of answer: a prompt goes on. Several prompts are answered at once. */
export const COMPLETIONS: Endpoint = {
  kind: 'model',
  read: (body) => {
    const prompts = promptsOf(body['prompt']);
    const mistake = mistakeIn(body, prompts);
    if (mistake !== null) return mistake;
    const n = numberOf(body['n']) ?? 1;
    return {
      request: {
        ...PLAIN_REQUEST,
        model: asText(body['model']),
        n: prompts.length * n,
        isStreaming: body['stream'] === true,
        choiceCap: numberOf(body['max_tokens']) ?? USUAL_CAP,
        stops: [body['stop']].flat().filter((text) => typeof text === 'string'),
        seq: asObject(body['metadata'])['seq'],
        user: body['user'],
        countPrompt: (count) =>
          prompts.reduce((total, prompt) => total + (typeof prompt === 'string' ? count(prompt) : prompt.length), 0),
      },
      write: (answer) =>
        new CompletionWriter({
          answer,
          includesUsage: asObject(body['stream_options'])['include_usage'] === true,
          echo: body['echo'] === true ? prompts.map((prompt) => (typeof prompt === 'string' ? prompt : '')) : [],
          n,
        }),
    };
  },
};

type CompletionPrompt = string | readonly number[];

/** One text, its tokens, or several of either. */
function promptsOf(prompt: unknown): CompletionPrompt[] {
  if (prompt === undefined || prompt === null) return [''];
  if (!Array.isArray(prompt)) return [asText(prompt)];
  if (prompt.every((each) => typeof each === 'number')) return [prompt];
  return prompt.map((each) => (Array.isArray(each) ? each : asText(each)));
}

function mistakeIn({ model, max_tokens: cap, n }: Json, prompts: readonly unknown[]): InvalidRequest | null {
  if (typeof model !== 'string' || model === '') return invalidRequest('you must provide a model parameter');
  if (!isCount(cap)) return invalidRequest('max_tokens must be at least 1', 'max_tokens', 'invalid_value');
  const choices = prompts.length * (numberOf(n) ?? 1);
  if (isCount(n) && choices >= 1 && choices <= MOST_CHOICES) return null;
  return invalidRequest(`n times prompts must be from 1 to ${MOST_CHOICES}`, 'n', 'invalid_value');
}

interface CompletionAnswer {
  readonly answer: Answer;
  readonly includesUsage: boolean;
  /** Prompts to repeat before what follows them. */
  readonly echo: readonly string[];
  /** Answers to each prompt. */
  readonly n: number;
}

class CompletionWriter implements AnswerWriter {
  readonly #given: CompletionAnswer;

  constructor(given: CompletionAnswer) {
    this.#given = given;
  }

  whole(usage: Usage): string {
    const choices = this.#given.answer.choices.map((choice, index) =>
      choiceJson(index, this.#echoOf(index) + textOf(choice, 'text'), choice.finish),
    );
    return JSON.stringify({ ...this.#common(choices), usage: usageJson(usage) });
  }

  opening(): string {
    const echoes = this.#given.echo.length === 0 ? [] : this.#given.answer.choices;
    return echoes.map((_, index) => this.#event([choiceJson(index, this.#echoOf(index), null)])).join('');
  }

  partStart(): string {
    return '';
  }

  piece({ choice }: Spot, text: string): string {
    return this.#event([choiceJson(choice, text, null)]);
  }

  partEnd(): string {
    return '';
  }

  choiceEnd(choice: number): string {
    return this.#event([choiceJson(choice, '', this.#given.answer.choices[choice]?.finish ?? 'stop')]);
  }

  closing(usage: Usage): string {
    const last = this.#given.includesUsage ? this.#event([], usageJson(usage)) : '';
    return `${last}data: [DONE]\n\n`;
  }

  fragment(): string {
    return `data: {"id":"cmpl-${this.#given.answer.id}","object":"text_compl`;
  }

  #echoOf(index: number): string {
    return this.#given.echo[Math.floor(index / this.#given.n)] ?? '';
  }

  #event(choices: readonly object[], usage: object | null = null): string {
    const json = { ...this.#common(choices), ...(this.#given.includesUsage ? { usage } : {}) };
    return `data: ${JSON.stringify(json)}\n\n`;
  }

  #common(choices: readonly object[]): object {
    const { id, created, model } = this.#given.answer;
    return { id: `cmpl-${id}`, object: 'text_completion', created, model, choices };
  }
}

function choiceJson(index: number, text: string, finish: string | null): object {
  return { text, index, logprobs: null, finish_reason: finish };
}

function usageJson({ input, output }: Usage): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
